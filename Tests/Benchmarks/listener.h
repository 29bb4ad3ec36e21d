/* Accepts connections on the loopback, and serves each on a thread of its own. */
#ifndef LISTENER_H
#define LISTENER_H

#include "clock.h"
#include "peer.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* tls is NULL for plain TCP. */
struct listener {
    int fd;
    SSL_CTX *tls;
    void (*serve)(struct peer *peer);
};

struct serving {
    struct peer peer;
    void (*serve)(struct peer *peer);
};

static inline void *serve_thread(void *context)
{
    struct serving *serving = context;
    serving->serve(&serving->peer);
    SSL_free(serving->peer.tls);
    close(serving->peer.fd);
    free(serving);
    return NULL;
}

/* Listens on a port of the system's choice. */
static inline int listen_on_loopback(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1024) != 0)
        exit(1);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Accepts one connection, whose frames leave at once. -1 if that failed. */
static inline int accept_at_once(int listening)
{
    int fd = accept(listening, NULL, NULL), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static inline void *accept_thread(void *context)
{
    struct listener *listener = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 131072);
    for (;;) {
        int fd = accept_at_once(listener->fd);
        if (fd < 0)
            continue;
        struct serving *serving = calloc(1, sizeof *serving);
        serving->serve = listener->serve;
        serving->peer.fd = fd;
        serving->peer.accepted_ns = read_clock_ns(CLOCK_MONOTONIC);
        if (listener->tls != NULL) {
            serving->peer.tls = SSL_new(listener->tls);
            SSL_set_fd(serving->peer.tls, fd);
        }
        pthread_t thread;
        if (pthread_create(&thread, &attributes, serve_thread, serving) != 0)
            abort();
    }
    return NULL;
}

/* Accepts from now on, on a port of the system's choice, which it returns. */
static inline int start_listener(struct listener *listener)
{
    int port;
    pthread_t thread;
    listener->fd = listen_on_loopback(&port);
    if (pthread_create(&thread, NULL, accept_thread, listener) != 0)
        exit(1);
    return port;
}

#endif
