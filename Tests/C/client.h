/*
 * A connection for tests that records all it delivers, in order, and lets the test wait for it.
 *
 * Any order that the header forbids fails the test as it happens: anything after HW_EVENT_RELEASED, two callbacks at once,
 * a struct_size that is not the header's, an epoch that goes back, further than to the connection before while two overlap.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "test.h"

#include <pthread.h>

/* One recorded message or event. Strings are NUL-terminated copies. */
typedef struct {
    int is_event;
    hw_message message; /* data is a copy */
    hw_event event;     /* text and body are copies */
    const char *text;   /* the message's data, or the event's text */
} record;

typedef struct client {
    hw_config *config;
    hw_connection *connection;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    record **records;
    size_t count;
    size_t capacity;
    uint64_t epoch;
    int overlaps; /* The test sets it if connections are rotated: two deliver at a time then. */
    int inside;   /* callbacks running now */
    int released; /* HW_EVENT_RELEASED has come */
    /* Runs inside the callback after each record, if the test sets it. */
    void (*hook)(struct client *client, const record *latest);
    void *hook_context;
} client;

/* Makes a client with callbacks set, quick reconnection, and the servers' CA. */
client *client_new(void);

/* Sets a property, which must succeed. */
void client_set(client *client, const char *name, const char *value);

/* Sets a property to what the file holds, which must succeed. */
void set_pem(hw_config *config, const char *name, const char *path);

/* Opens the connection, which must succeed. */
void client_open(client *client, const char *url);

/* A client that is connected to the URL. */
client *client_connected(const char *url);

/* Adds a heartbeat rule, which must be right. */
void client_rule(client *client, const char *json);

/* Sends a text, which must be accepted. */
void client_send(client *client, const char *text);

/* Opens the connection and waits until it stands. */
void client_connect(client *client, const char *url);

/* Wait for the message, event or state change of that number, counted from 0, and return it. */
const record *client_message(client *client, size_t number);
const record *client_event(client *client, hw_event_kind kind, size_t number);
const record *client_state(client *client, hw_state state, size_t number);

/* Waits for the event of that kind with exactly this text, and number among those. */
const record *client_named_event(client *client, hw_event_kind kind, const char *text, size_t number);

/* How many are recorded so far. */
size_t client_message_count(client *client);
size_t client_event_count(client *client, hw_event_kind kind);

/* Snapshots of the metrics and of the heartbeats. */
hw_metrics client_metrics(client *client);
hw_health client_health(client *client);

/*
 * Asks a server that obeys what frames came from this connection, commands apart: lines of the form "OPCODE PAYLOAD". Valid until the
 * client is freed.
 */
const char *client_frames_seen(client *client);

/*
 * Checks that no thread of the library spins: meanwhile a connection of its own beats for a second, and the threads other than the
 * calling one may use a fifth of that. Everything else must have come to rest.
 */
void check_threads_rest(void);

/* The same, by a client that is there already and pings every 50 ms. */
void check_threads_rest_beside(client *beating);

/* Blocks until HW_EVENT_RELEASED has been recorded. */
void client_await_released(client *client);

/* Releases the connection if need be, checks that HW_EVENT_RELEASED came, and frees everything. */
void client_free(client *client);

/* Checks that a server saw the connection whose URL had the given key closed by its client with this code and reason. */
void check_seen_close(const char *key, int code, const char *reason);

#endif
