/* One run of `heartwire serve`, and what its services are made of. */
#ifndef HEARTWIRE_SERVER_H
#define HEARTWIRE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "clients.h"
#include "stats.h"

struct server;

/* What a server does with its clients. Each function may be NULL. All run on the one thread that prints. */
struct service {
    bool prints_messages; /* what clients send is the output */
    /* Before the listener is opened; false: complained of, and the program ends with STATUS_SYSTEM. */
    bool (*prepare)(struct server *server);
    void (*opened)(struct server *server, struct client *client);
    void (*message)(struct server *server, struct client *client, const hw_message *message);
    void (*event)(struct server *server, struct client *client, const hw_event *event);
    /* Sends a line of standard input, which is not read if this is NULL; HW_OK, or why the line was not sent. */
    hw_status (*line)(struct server *server, const char *line, size_t size);
    /* Does what is due now; answers when something will be due next, as clock_ms, UINT64_MAX if nothing will. */
    uint64_t (*work)(struct server *server);
    /* After the last client has gone. */
    void (*report)(struct server *server);
};

extern const struct service echo_service;
extern const struct service broadcast_service;
extern const struct service exchange_service;

/* What the arguments say. */
struct server_settings {
    hw_config *config;
    const char *url;
    const struct service *service;
    bool json, events, stats;
};

/* What services may use. */
struct server {
    const struct server_settings *settings;
    hw_listener *listener;
    struct clients clients;
    struct totals totals; /* clients and waiting are counted when they are printed */
    void *own;            /* the service's */
};

/* Listens until it is asked to end; the exit status. */
int server_run(const struct server_settings *settings);

#endif
