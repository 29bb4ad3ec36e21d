/* The clients of `heartwire serve`, found by their connections. */
#ifndef HEARTWIRE_CLIENTS_H
#define HEARTWIRE_CLIENTS_H

#include <heartwire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
    hw_connection *connection;
    uint64_t number; /* counted from 1, in the order in which they came */
    char *resource;  /* path and query that it asked for */
    bool open;       /* the opening handshake is done, and the connection has not ended */
    void *own;       /* the service's; freed with the client */
};

/* A hash table with open addressing. All 0 to begin with. */
struct clients {
    struct client **places;
    size_t capacity; /* a power of two */
    size_t count;
    uint64_t number; /* of the last that came */
};

/* Adds a client that asks for a resource; NULL if there is no memory. */
struct client *clients_add(struct clients *clients, hw_connection *connection, const char *resource, size_t size);

/* NULL if it is none of them. */
struct client *clients_find(const struct clients *clients, const hw_connection *connection);

/* Removes and frees a client. */
void clients_remove(struct clients *clients, const hw_connection *connection);

/* Goes through all clients, in no order: the next from place *at on, 0 to begin with; NULL after the last. None may come or go then. */
struct client *clients_next(const struct clients *clients, size_t *at);

void clients_free(struct clients *clients);

#endif
