/* The TLS server inside the test. */
#include "tls_server.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_server {
    int listener;
    SSL_CTX *context;
    tls_serve serve;
    void *serve_context;
    pthread_t thread;
    char url[64];
};

static void *accept_connections(void *context)
{
    tls_server *server = context;
    int fd;
    /* A client may go away while OpenSSL writes; on this thread only, as the library must not need it. */
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
    for (int number = 0; (fd = accept(server->listener, NULL, NULL)) >= 0; number++) {
        SSL *ssl = SSL_new(server->context);
        SSL_set_fd(ssl, fd);
        server->serve(ssl, fd, number, server->serve_context);
        SSL_free(ssl);
        close(fd);
    }
    return NULL;
}

SSL_CTX *tls_server_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    CHECK_EQUAL(SSL_CTX_use_certificate_chain_file(context, server_fact("server_pem")), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey_file(context, server_fact("server_pem"), SSL_FILETYPE_PEM), 1);
    return context;
}

tls_server *tls_server_start(SSL_CTX *context, tls_serve serve, void *serve_context)
{
    tls_server *server = calloc(1, sizeof *server);
    *server = (tls_server){.listener = socket(AF_INET, SOCK_STREAM, 0), .context = context, .serve = serve, .serve_context = serve_context};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    CHECK_EQUAL(bind(server->listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQUAL(listen(server->listener, 8), 0);
    getsockname(server->listener, (struct sockaddr *)&address, &size);
    snprintf(server->url, sizeof server->url, "wss://127.0.0.1:%d/", ntohs(address.sin_port));
    CHECK_EQUAL(pthread_create(&server->thread, NULL, accept_connections, server), 0);
    return server;
}

const char *tls_server_url(const tls_server *server) { return server->url; }

void tls_server_stop(tls_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->context);
    free(server);
}

int tls_server_accept(SSL *ssl)
{
    if (SSL_accept(ssl) != 1) return 0;
    char request[4096] = {0};
    for (size_t size = 0; strstr(request, "\r\n\r\n") == NULL;) {
        int count = SSL_read(ssl, request + size, (int)(sizeof request - 1 - size));
        if (count <= 0) return 0;
        size += (size_t)count;
    }
    const char *key = strstr(request, "Sec-WebSocket-Key: ");
    CHECK(key != NULL);
    char proof[128], answer[256];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
    snprintf(proof, sizeof proof, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    SHA1((unsigned char *)proof, strlen(proof), digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Hello\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    return SSL_write(ssl, answer, (int)strlen(answer)) > 0;
}

void tls_server_send(SSL *ssl, const char *text)
{
    unsigned char frame[127] = {0x80 | HW_TEXT, (unsigned char)strlen(text)};
    memcpy(frame + 2, text, strlen(text));
    CHECK(SSL_write(ssl, frame, 2 + (int)strlen(text)) > 0);
}

int tls_server_receive(SSL *ssl)
{
    char bytes[256];
    return SSL_read(ssl, bytes, sizeof bytes) > 0;
}
