/* The clients of `heartwire serve`. */
#define _POSIX_C_SOURCE 200809L

#include "clients.h"

#include <stdlib.h>
#include <string.h>

/* Handles are tokens of which the low bits may hardly differ; multiplying spreads them (Knuth's multiplicative hashing). */
static size_t home(const struct clients *clients, const hw_connection *connection)
{
    uint64_t hash = (uint64_t)(uintptr_t)connection * 0x9E3779B97F4A7C15u;
    return (size_t)(hash >> 32) & (clients->capacity - 1);
}

/* The place where the connection is, or the free one where it would be put. */
static size_t place_of(const struct clients *clients, const hw_connection *connection)
{
    size_t place = home(clients, connection);
    while (clients->places[place] != NULL && clients->places[place]->connection != connection)
        place = (place + 1) & (clients->capacity - 1);
    return place;
}

/* Doubles the table if it would be more than half full. */
static bool make_room(struct clients *clients)
{
    enum { CAPACITY_MIN = 64 };
    if (2 * (clients->count + 1) <= clients->capacity)
        return true;
    struct clients larger = {.capacity = clients->capacity == 0 ? CAPACITY_MIN : 2 * clients->capacity};
    larger.places = calloc(larger.capacity, sizeof *larger.places);
    if (larger.places == NULL)
        return false;
    size_t at = 0;
    for (struct client *client; (client = clients_next(clients, &at)) != NULL;)
        larger.places[place_of(&larger, client->connection)] = client;
    free(clients->places);
    clients->places = larger.places;
    clients->capacity = larger.capacity;
    return true;
}

struct client *clients_add(struct clients *clients, hw_connection *connection, const char *resource, size_t size)
{
    struct client *client = calloc(1, sizeof *client);
    char *copy = strndup(resource, size);
    if (client == NULL || copy == NULL || !make_room(clients)) {
        free(client);
        free(copy);
        return NULL;
    }
    *client = (struct client){.connection = connection, .number = ++clients->number, .resource = copy};
    clients->places[place_of(clients, connection)] = client;
    clients->count++;
    return client;
}

struct client *clients_find(const struct clients *clients, const hw_connection *connection)
{
    return clients->capacity == 0 ? NULL : clients->places[place_of(clients, connection)];
}

static void free_client(struct client *client)
{
    free(client->own);
    free(client->resource);
    free(client);
}

void clients_remove(struct clients *clients, const hw_connection *connection)
{
    struct client *client = clients_find(clients, connection);
    if (client == NULL)
        return;
    size_t hole = place_of(clients, connection);
    clients->places[hole] = NULL;
    clients->count--;
    free_client(client);
    /* Those behind it, up to the next hole, may have been kept from their places by it. */
    size_t place = hole;
    for (struct client *next; (next = clients->places[place = (place + 1) & (clients->capacity - 1)]) != NULL;) {
        clients->places[place] = NULL;
        clients->places[place_of(clients, next->connection)] = next;
    }
}

struct client *clients_next(const struct clients *clients, size_t *at)
{
    while (*at < clients->capacity) {
        struct client *client = clients->places[(*at)++];
        if (client != NULL)
            return client;
    }
    return NULL;
}

void clients_free(struct clients *clients)
{
    size_t at = 0;
    for (struct client *client; (client = clients_next(clients, &at)) != NULL;)
        free_client(client);
    free(clients->places);
}
