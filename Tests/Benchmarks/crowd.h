/* A crowd of clients on bare sockets, all on one epoll, and what they cost the server: the load on a server that is measured. */
#ifndef CROWD_H
#define CROWD_H

#include "clock.h"
#include "descriptors.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OPCODE_TEXT = 1,
    OPCODE_BINARY = 2,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
    OPCODE_PONG = 10,
    /* Of a client's frame: two bytes, two more of the size, and a mask. */
    HEADER_SIZE_MAX = 8,
    PAYLOAD_SIZE_MAX = 256,
    EVENTS_MAX = 512
};

struct client {
    int fd;
    int is_open;       /* its opening handshake is done */
    uint64_t count;    /* of what the program counts */
    uint64_t since_ns; /* when it last came */
    size_t size;       /* of what was received and not taken yet */
    unsigned char bytes[3072];
};

struct crowd {
    struct sockaddr_in server;
    clockid_t server_clock; /* the CPU time of its process */
    int server_pid;
    int epoll;
    size_t count, open;
    const char *extensions; /* what every client asks for: lines with CRLF, or "" */
    struct client *clients;
    void (*on_open)(struct client *client); /* may be NULL */
    void (*on_frame)(struct client *client, int opcode, const unsigned char *payload, size_t size);
    void (*on_end)(struct client *client); /* the server has ended the connection */
};

static struct crowd crowd;

static inline void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline uint64_t now_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t server_cpu_ns(void)
{
    return read_clock_ns(crowd.server_clock);
}

static inline long server_resident_bytes(void)
{
    char path[64];
    long total = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", crowd.server_pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
        fail(path);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

/* ---- Connecting --------------------------------------------------------------------------------------------------------------- */

static inline void watch(struct client *client, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(crowd.epoll, operation, client->fd, &event) != 0)
        fail("epoll_ctl");
}

/* Begins to connect, from one of the loopback's addresses in turn: the ports of one are not enough for all. */
static inline void start_connecting(struct client *client)
{
    static uint32_t begun;
    int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + begun++ / 64 % 16)};
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    client->is_open = 0;
    client->size = 0;
    if (client->fd < 0)
        fail("socket");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(client->fd, (struct sockaddr *)&source, sizeof source) != 0)
        fail("bind");
    if (connect(client->fd, (struct sockaddr *)&crowd.server, sizeof crowd.server) != 0 && errno != EINPROGRESS)
        fail("connect");
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
}

static inline void send_bytes(struct client *client, const void *bytes, size_t size)
{
    if (send(client->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("send");
}

static inline void send_request(struct client *client)
{
    char request[512];
    int size = snprintf(request, sizeof request,
                        "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                        ntohs(crowd.server.sin_port), crowd.extensions);
    send_bytes(client, request, (size_t)size);
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

/* ---- Frames ------------------------------------------------------------------------------------------------------------------- */

/* Lays out a frame of up to PAYLOAD_SIZE_MAX bytes, with a mask of zeros, and returns its size. */
static inline size_t put_frame(unsigned char *at, int opcode, const void *payload, size_t size)
{
    size_t header_size = size < 126 ? 6 : 8;
    memset(at, 0, header_size);
    at[0] = (unsigned char)(0x80 | opcode);
    at[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
    if (size >= 126) {
        at[2] = (unsigned char)(size >> 8);
        at[3] = (unsigned char)size;
    }
    memcpy(at + header_size, payload, size);
    return header_size + size;
}

static inline void send_frame(struct client *client, int opcode, const void *payload, size_t size)
{
    unsigned char frame[HEADER_SIZE_MAX + PAYLOAD_SIZE_MAX];
    send_bytes(client, frame, put_frame(frame, opcode, payload, size));
}

/* The size of the frame at the start of the bytes, 0 if not all of it is there. */
static inline size_t whole_frame(const unsigned char *bytes, size_t size, size_t *header_size)
{
    if (size < 2)
        return 0;
    size_t payload = bytes[1];
    *header_size = 2;
    if (payload == 126) {
        if (size < 4)
            return 0;
        payload = (size_t)bytes[2] << 8 | bytes[3];
        *header_size = 4;
    }
    return *header_size + payload <= size ? *header_size + payload : 0;
}

static inline void drop_bytes(struct client *client, size_t count)
{
    client->size -= count;
    memmove(client->bytes, client->bytes + count, client->size);
}

static inline void take_frames(struct client *client)
{
    size_t taken = 0, header_size, frame_size;
    while ((frame_size = whole_frame(client->bytes + taken, client->size - taken, &header_size)) > 0) {
        const unsigned char *frame = client->bytes + taken;
        taken += frame_size;
        crowd.on_frame(client, frame[0] & 0x0F, frame + header_size, frame_size - header_size);
    }
    drop_bytes(client, taken);
}

/* Takes the answer to the opening handshake, once it is there. */
static inline void take_answer(struct client *client)
{
    const char *end = memmem(client->bytes, client->size, "\r\n\r\n", 4);
    if (end == NULL)
        return;
    if (memcmp(client->bytes, "HTTP/1.1 101", 12) != 0)
        fail("the server refused a client");
    if (crowd.extensions[0] != 0 && memmem(client->bytes, client->size, "permessage-deflate", 18) == NULL)
        fail("the server does not compress");
    drop_bytes(client, (size_t)(end + 4 - (const char *)client->bytes));
    client->is_open = 1;
    crowd.open++;
    if (crowd.on_open != NULL)
        crowd.on_open(client);
}

/* ---- The loop ----------------------------------------------------------------------------------------------------------------- */

static inline void receive(struct client *client)
{
    ssize_t count = recv(client->fd, client->bytes + client->size, sizeof client->bytes - client->size, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        crowd.on_end(client);
        return;
    }
    client->size += (size_t)count;
    if (!client->is_open)
        take_answer(client);
    if (client->is_open)
        take_frames(client);
}

/* Serves whatever is ready, waiting for it no longer than so many milliseconds. */
static inline void turn(int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(crowd.epoll, events, EVENTS_MAX, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            send_request(client);
        else
            receive(client);
    }
}

/* A client that the server gives up where it should not. */
static inline void fail_at_end(struct client *client)
{
    (void)client;
    fprintf(stderr, "the server ended a connection\n");
    exit(1);
}

/* Prepares a crowd for the server that is the process `pid` and listens at `port`. */
static inline void prepare_crowd(const char *pid, const char *port, size_t count)
{
    raise_descriptor_limit();
    crowd.server_pid = atoi(pid);
    if (clock_getcpuclockid(crowd.server_pid, &crowd.server_clock) != 0)
        fail("the server's clock");
    crowd.server = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd.count = count;
    crowd.clients = calloc(count, sizeof *crowd.clients);
    crowd.on_end = fail_at_end;
    if (crowd.extensions == NULL)
        crowd.extensions = "";
}

/* Connects the next clients up to `count` in all, so many at a time, and returns once all are let in. */
static inline void connect_until(size_t count)
{
    enum { AT_A_TIME = 64 };
    for (size_t begun = crowd.open; crowd.open < count; turn(-1))
        while (begun < count && begun - crowd.open < AT_A_TIME)
            start_connecting(&crowd.clients[begun++]);
}

#endif
