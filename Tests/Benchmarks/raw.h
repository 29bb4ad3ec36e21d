/* What the clients with raw sockets share. */
#ifndef RAW_H
#define RAW_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void require(int is_done, const char *what)
{
    if (is_done)
        return;
    perror(what);
    exit(1);
}

/* Connects to the server on the loopback, with an opening handshake whose answer nobody looks at. */
static inline int open_socket(const char *port, const char *path)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    require(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    char head[512];
    int size = snprintf(head, sizeof head,
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                        path);
    require(send(fd, head, (size_t)size, 0) == size, "send");
    /* Byte by byte: what follows the answer's head belongs to the first message. */
    for (size_t got = 0; got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4) != 0; got++)
        require(got < sizeof head && recv(fd, head + got, 1, 0) == 1, "handshake");
    return fd;
}

#endif
