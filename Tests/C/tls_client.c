/* The client on OpenSSL. */
#include "tls_client.h"

#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

SSL *tls_client(SSL_CTX *context, const server *server)
{
    SSL *ssl = SSL_new(context);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect_socket(fd, server);
    CHECK_EQUAL(SSL_set_fd(ssl, fd), 1);
    return ssl;
}

void tls_client_free(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

int tls_reason(void)
{
    int reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    return reason;
}

void tls_upgrade(SSL *ssl)
{
    char answer[4096] = {0};
    CHECK_EQUAL(SSL_write(ssl, request, (int)strlen(request)), (int)strlen(request));
    for (int size = 0; strstr(answer, "\r\n\r\n") == NULL;) {
        int count = SSL_read(ssl, answer + size, (int)sizeof answer - 1 - size);
        if (count <= 0) FAIL("no answer: %s", ERR_reason_error_string(ERR_peek_error()));
        size += count;
    }
    CHECK_CONTAINS(answer, "HTTP/1.1 101 ");
}
