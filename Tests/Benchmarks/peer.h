/* The benchmark server's end of one connection: bytes over TCP or TLS, and frames (RFC 6455 section 5.2). */
#ifndef PEER_H
#define PEER_H

#include <openssl/ssl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { OPCODE_TEXT = 1, OPCODE_CLOSE = 8, OPCODE_PING = 9, OPCODE_PONG = 10, CONTROL_SIZE_MAX = 125, HEADER_SIZE_MAX = 10 };

/* One accepted connection; tls is NULL on the plain port. */
struct peer {
    int fd;
    SSL *tls;
    uint64_t accepted_ns;
};

/* The header of a client's frame. */
struct header {
    int opcode, is_final;
    uint64_t size;
    unsigned char mask[4];
};

/* A control frame. */
struct frame {
    int opcode;
    size_t size;
    unsigned char payload[CONTROL_SIZE_MAX];
};

static inline ssize_t receive_some(struct peer *peer, void *data, size_t size)
{
    return peer->tls ? SSL_read(peer->tls, data, (int)size) : recv(peer->fd, data, size, 0);
}

static inline int receive_all(struct peer *peer, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = receive_some(peer, (char *)data + done, size - done);
        if (count <= 0)
            return 0;
        done += (size_t)count;
    }
    return 1;
}

/* Receives bytes that nobody wants, over plain TCP only: the kernel drops them without a copy. */
static inline int discard(struct peer *peer, uint64_t size)
{
    while (size > 0) {
        ssize_t count = recv(peer->fd, NULL, size, MSG_TRUNC);
        if (count <= 0)
            return 0;
        size -= (uint64_t)count;
    }
    return 1;
}

static inline int send_all(struct peer *peer, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        const char *rest = (const char *)data + done;
        ssize_t count = peer->tls ? SSL_write(peer->tls, rest, (int)(size - done)) : send(peer->fd, rest, size - done, MSG_NOSIGNAL);
        if (count <= 0)
            return 0;
        done += (size_t)count;
    }
    return 1;
}

/* Writes a final frame's header, unmasked as a server's are, and returns its size. */
static inline size_t put_header(unsigned char *at, int opcode, size_t size)
{
    at[0] = (unsigned char)(0x80 | opcode);
    if (size < 126) {
        at[1] = (unsigned char)size;
        return 2;
    }
    at[1] = size <= 0xFFFF ? 126 : 127;
    size_t width = size <= 0xFFFF ? 2 : 8;
    for (size_t i = 0; i < width; i++)
        at[2 + i] = (unsigned char)(size >> 8 * (width - 1 - i));
    return 2 + width;
}

static inline int send_control(struct peer *peer, int opcode, const void *payload, size_t size)
{
    unsigned char bytes[HEADER_SIZE_MAX + CONTROL_SIZE_MAX];
    size_t header = put_header(bytes, opcode, size);
    memcpy(bytes + header, payload, size);
    return send_all(peer, bytes, header + size);
}

static inline int receive_header(struct peer *peer, struct header *header)
{
    unsigned char bytes[14];
    /* No client's header is shorter than six bytes. */
    if (!receive_all(peer, bytes, 6))
        return 0;
    header->opcode = bytes[0] & 0x0F;
    header->is_final = bytes[0] >> 7;
    header->size = bytes[1] & 0x7F;
    size_t width = header->size < 126 ? 0 : header->size == 126 ? 2 : 8;
    if (!receive_all(peer, bytes + 6, width))
        return 0;
    if (width > 0)
        header->size = 0;
    for (size_t i = 0; i < width; i++)
        header->size = header->size << 8 | bytes[2 + i];
    memcpy(header->mask, bytes + 2 + width, sizeof header->mask);
    return 1;
}

/* Receives one frame of a client that sends nothing longer than a control frame. */
static inline int receive_frame(struct peer *peer, struct frame *frame)
{
    struct header header;
    if (!receive_header(peer, &header) || header.size > CONTROL_SIZE_MAX || !receive_all(peer, frame->payload, header.size))
        return 0;
    frame->opcode = header.opcode;
    frame->size = header.size;
    for (size_t i = 0; i < frame->size; i++)
        frame->payload[i] ^= header.mask[i % 4];
    return 1;
}

#endif
