/* A listener for tests, which echoes and remembers what its clients have told, and clients for it. */
#ifndef LISTENER_H
#define LISTENER_H

#include "client.h"

typedef struct {
    hw_config *config;
    hw_listener *listener;
    uint16_t port;
    char url[64]; /* for clients */
    pthread_mutex_t lock;
    hw_connection *latest; /* the client that was heard of last */
    uint64_t attempt_id;   /* of its HW_EVENT_ACCEPT_DUE */
    char resource[256], fields[2048];
    int opened, resumed, closed, released;
    int expected; /* of those to be released, if the test counts them */
    int close_code, close_status;
    char close_text[256];
    char failure[256]; /* of the latest HW_EVENT_ATTEMPT_FAILED */
} server;

/* Makes the configuration. */
void server_init(server *server);

/* Sets a property, which must succeed. */
void server_set(server *server, const char *name, const char *value);

/* Listens at the URL, which must succeed. */
void server_open(server *server, const char *url);

/* A listener with nothing set. */
void server_start(server *server);

/* The same for wss, with the servers' good certificate. */
void secure_init(server *server);
void secure_open(server *server);
void secure_start(server *server);

/* Closes the listener, waits until its clients have gone, and frees everything. */
void server_end(server *server);

/* The client that was heard of last; NULL if none was. */
hw_connection *latest_client(server *server);

/* The number of the latest HW_EVENT_ACCEPT_DUE, once; 0 if there is none. */
uint64_t take_attempt(server *server);

/* One of the counters above. */
int counted(server *server, int *counter);

/* A client that sends no pings and does not connect again. */
client *plain_client(void);

/* Sends a text and gets it back. */
void check_echo(client *client, const char *text);

/* A request that every listener agrees to. */
static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* Connects a socket to the listener. */
void connect_socket(int fd, const server *server);

/* A socket that has connected and said this, and does nothing more. */
int silent_socket(const server *server, const char *request);

/* Reads as far as this text, which must come. */
void read_until(int fd, const char *text);

/* All that the socket still gets, up to its end. */
size_t read_to_end(int fd, char *buffer, size_t capacity);

/* The same, then closes it. */
size_t drain(int fd, char *buffer, size_t capacity);

/* Keeps the lines of the log up to that level from now on. */
void log_start(hw_log_level level);

/* How often the log has had this text so far. */
int log_count(const char *text);

#endif
