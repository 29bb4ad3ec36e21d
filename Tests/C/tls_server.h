/* A TLS server inside the test, on OpenSSL, for what no ordinary server does. It serves one connection after the other, on one thread. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "test.h"

#include <openssl/ssl.h>

typedef struct tls_server tls_server;

/*
 * One accepted connection; its handshake is still to be made. number counts the connections from 0. The socket is blocking; whoever
 * serves ends TLS as it wants, the descriptor is closed afterwards.
 */
typedef void (*tls_serve)(SSL *ssl, int fd, int number, void *context);

/* A context with the servers' good certificate, for the test to change before tls_server_start takes it over. */
SSL_CTX *tls_server_context(void);

tls_server *tls_server_start(SSL_CTX *context, tls_serve serve, void *serve_context);

/* "wss://127.0.0.1:PORT/"; valid while the server lives. */
const char *tls_server_url(const tls_server *server);

/* Accepts nothing more, waits until the last connection has been served, and frees everything. */
void tls_server_stop(tls_server *server);

/* Makes the TLS handshake, reads the request and agrees to it; 0 if the client went away or refused. */
int tls_server_accept(SSL *ssl);

/* Sends a text message of fewer than 126 bytes. */
void tls_server_send(SSL *ssl, const char *text);

/* Reads until at least one byte has come; 0 at any end of the stream, which SSL_get_shutdown tells apart. */
int tls_server_receive(SSL *ssl);

#endif
