/*
 * A server that is killed and started anew, again and again.
 *
 * Usage: restarting_server OUTAGE_MS ROUNDS
 *
 * Prints its port. Each server process takes one connection, tells it when it began to listen (CLOCK_MONOTONIC, nanoseconds), and ends by
 * SIGKILL when something comes from it; the next starts OUTAGE_MS later. Meanwhile nobody listens on the port, but it stays taken.
 */
#define _GNU_SOURCE

#include "handshake.h"
#include "listener.h"
#include <signal.h>
#include <sys/wait.h>

static int bind_to(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0)
        exit(1);
    return fd;
}

static void serve_until_killed(struct sockaddr_in *address)
{
    char head[8192], text[32];
    struct frame frame;
    int fd = bind_to(address);
    uint64_t listening_ns = read_clock_ns(CLOCK_MONOTONIC);
    if (listen(fd, 16) != 0)
        exit(1);
    struct peer peer = {.fd = accept_at_once(fd)};
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)listening_ns);
    if (receive_head(&peer, head, sizeof head) && answer_handshake(&peer, head) && send_control(&peer, OPCODE_TEXT, text, (size_t)size))
        receive_frame(&peer, &frame);
    raise(SIGKILL);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    long outage_ms = strtol(argv[1], NULL, 10), rounds = strtol(argv[2], NULL, 10);
    struct timespec outage = {outage_ms / 1000, outage_ms % 1000 * 1000000};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int reserved = bind_to(&address);
    getsockname(reserved, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (long i = 0; i < rounds; i++) {
        pid_t server = fork();
        if (server == 0)
            serve_until_killed(&address);
        waitpid(server, NULL, 0);
        nanosleep(&outage, NULL);
    }
    return 0;
}
