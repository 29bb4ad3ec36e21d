/* A client on OpenSSL for a listener, for what no ordinary client does. Its socket blocks. */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "listener.h"

#include <openssl/ssl.h>

/* Connects; the TLS handshake is still to be made. */
SSL *tls_client(SSL_CTX *context, const server *server);

/* Closes the socket, without a word. */
void tls_client_free(SSL *ssl);

/* The reason of OpenSSL's oldest error, and forgets all of them. */
int tls_reason(void);

/* Asks for a WebSocket connection and reads until it is agreed to. */
void tls_upgrade(SSL *ssl);

#endif
