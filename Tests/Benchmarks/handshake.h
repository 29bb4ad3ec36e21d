/* The server's end of the opening handshake (RFC 6455 section 4.2). */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "peer.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

/* Receives the client's opening handshake, NUL-terminated. */
static inline int receive_head(struct peer *peer, char *head, size_t capacity)
{
    for (size_t size = 0; size + 1 < capacity;) {
        ssize_t count = receive_some(peer, head + size, capacity - 1 - size);
        if (count <= 0)
            return 0;
        size += (size_t)count;
        head[size] = 0;
        if (strstr(head, "\r\n\r\n") != NULL)
            return 1;
    }
    return 0;
}

/* The number that follows the name, such as "size=", in the request's target. */
static inline long query_number(const char *head, const char *name, long otherwise)
{
    const char *at = strstr(head, name);
    return at && at < strstr(head, "\r\n") ? strtol(at + strlen(name), NULL, 10) : otherwise;
}

/* What the query has the server answer to the client's offer of permessage-deflate; NULL if that is not there. */
static inline const char *agree_on_extension(const char *head)
{
    long takeover = query_number(head, "takeover=", -1);
    if (takeover < 0)
        return "";
    if (strstr(head, "permessage-deflate") == NULL)
        return NULL;
    return takeover ? "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                    : "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
}

/* Answers it; 0 if that cannot be done. */
static inline int answer_handshake(struct peer *peer, const char *head)
{
    const char *field = strcasestr(head, "sec-websocket-key:"), *extension = agree_on_extension(head);
    char key[128];
    if (extension == NULL || field == NULL || sscanf(field + strlen("sec-websocket-key:"), " %60s", key) != 1)
        return 0;
    strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    unsigned char digest[SHA_DIGEST_LENGTH], accept[64];
    SHA1((const unsigned char *)key, strlen(key), digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    char answer[384];
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%s"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        extension, (const char *)accept);
    return send_all(peer, answer, (size_t)size);
}

#endif
