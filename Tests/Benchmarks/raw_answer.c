/*
 * Answers the requests of answer_server with raw sockets and no more checks than that takes, to hold the library against.
 *
 * Usage: raw_answer PORT CONNECTIONS   ends when every connection has got its "done".
 */
#define _GNU_SOURCE

#include "descriptors.h"
#include "raw.h"
#include <netinet/tcp.h>
#include <sys/epoll.h>

enum { BUFFER_SIZE = 65536, EVENTS_MAX = 64 };

/* A connection, and what it has received since the last whole frame. */
struct connection {
    int fd;
    size_t size;
    unsigned char *bytes;
};

static void answer(int fd)
{
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"public/test\",\"params\":{}}";
    /* Masked with a key of zeros. */
    unsigned char frame[6 + sizeof text - 1] = {0x81, 0x80 | (sizeof text - 1)};
    memcpy(frame + 6, text, sizeof text - 1);
    require(send(fd, frame, sizeof frame, 0) == (ssize_t)sizeof frame, "send");
}

/* Receives once, and goes through the whole frames there are; 1 if the last has come. */
static int receive(struct connection *connection)
{
    ssize_t count = recv(connection->fd, connection->bytes + connection->size, BUFFER_SIZE - connection->size, 0);
    require(count > 0, "recv");
    connection->size += (size_t)count;
    size_t at = 0;
    int is_done = 0;
    while (connection->size - at >= 4) {
        const unsigned char *frame = connection->bytes + at;
        size_t header = frame[1] < 126 ? 2 : 4, size = frame[1] < 126 ? frame[1] : (size_t)frame[2] << 8 | frame[3];
        if (connection->size - at < header + size)
            break;
        if (memmem(frame + header, size, "test_request", 12) != NULL)
            answer(connection->fd);
        is_done = size == 4;
        at += header + size;
    }
    connection->size -= at;
    memmove(connection->bytes, connection->bytes + at, connection->size);
    return is_done;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    raise_descriptor_limit();
    size_t count = strtoul(argv[2], NULL, 10), done = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
    struct connection *connections = calloc(count, sizeof *connections);
    for (size_t i = 0; i < count; i++) {
        connections[i] = (struct connection){.fd = open_socket(argv[1], "/"), .bytes = malloc(BUFFER_SIZE)};
        setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    while (done < count) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < ready; i++)
            done += (size_t)receive(events[i].data.ptr);
    }
    printf("{}\n");
    return 0;
}
