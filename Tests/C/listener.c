/* The listener for tests. */
#include "listener.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)context;
    for (size_t i = 0; i < count; i++) hw_connection_send(connection, messages[i].kind, messages[i].data, messages[i].size, NULL, NULL);
}

static void keep(char *text, size_t capacity, const hw_event *event)
{
    snprintf(text, capacity, "%.*s", (int)event->text_size, event->text);
}

static void take_event(hw_connection *connection, const hw_event *event, void *context)
{
    server *server = context;
    pthread_mutex_lock(&server->lock);
    server->latest = connection;
    if (event->kind == HW_EVENT_OPENED) {
        server->opened++;
        server->resumed += event->resumed;
    }
    if (event->kind == HW_EVENT_RELEASED) server->released++;
    if (event->kind == HW_EVENT_CLOSED) {
        server->closed++;
        server->close_code = event->close_code;
        server->close_status = event->status;
        keep(server->close_text, sizeof server->close_text, event);
    }
    if (event->kind == HW_EVENT_ACCEPT_DUE) {
        keep(server->resource, sizeof server->resource, event);
        snprintf(server->fields, sizeof server->fields, "%.*s", (int)event->body_size, (const char *)event->body);
        server->attempt_id = event->attempt_id;
    }
    if (event->kind == HW_EVENT_ATTEMPT_FAILED) keep(server->failure, sizeof server->failure, event);
    pthread_mutex_unlock(&server->lock);
}

hw_connection *latest_client(server *server)
{
    pthread_mutex_lock(&server->lock);
    hw_connection *client = server->latest;
    pthread_mutex_unlock(&server->lock);
    return client;
}

uint64_t take_attempt(server *server)
{
    pthread_mutex_lock(&server->lock);
    uint64_t attempt_id = server->attempt_id;
    server->attempt_id = 0;
    pthread_mutex_unlock(&server->lock);
    return attempt_id;
}

int counted(server *server, int *counter)
{
    pthread_mutex_lock(&server->lock);
    int value = *counter;
    pthread_mutex_unlock(&server->lock);
    return value;
}

void server_init(server *server)
{
    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->lock, NULL);
    CHECK_STATUS(hw_config_new(&server->config), HW_OK);
    CHECK_STATUS(hw_config_on_messages(server->config, echo, NULL), HW_OK);
    CHECK_STATUS(hw_config_on_event(server->config, take_event, server), HW_OK);
}

void server_set(server *server, const char *name, const char *value)
{
    hw_error error = {.struct_size = sizeof error};
    if (hw_config_set(server->config, name, value, &error) != HW_OK) FAIL("%s", error.message);
}

void server_open(server *server, const char *url)
{
    hw_error error = {.struct_size = sizeof error};
    if (hw_listener_open(server->config, url, &server->listener, &error) != HW_OK) FAIL("%s", error.message);
    CHECK_STATUS(hw_listener_port(server->listener, &server->port), HW_OK);
    CHECK(server->port > 0);
    const char *scheme = strncmp(url, "wss:", 4) == 0 ? "wss" : "ws";
    snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%u/chat?room=1", scheme, server->port);
}

void server_start(server *server)
{
    server_init(server);
    server_open(server, "ws://127.0.0.1:0");
}

void secure_init(server *server)
{
    server_init(server);
    server_set(server, "tls.certificate_file", server_fact("server_pem"));
}

void secure_open(server *server) { server_open(server, "wss://127.0.0.1:0"); }

void secure_start(server *server)
{
    secure_init(server);
    secure_open(server);
}

void server_end(server *server)
{
    hw_listener_close(server->listener);
    AWAIT(counted(server, &server->released) == counted(server, &server->opened));
    hw_config_free(server->config);
}

client *plain_client(void)
{
    client *new = client_new();
    client_set(new, "ping.interval", "0");
    client_set(new, "reconnect.enabled", "false");
    return new;
}

void check_echo(client *client, const char *text)
{
    size_t count = client_message_count(client);
    client_send(client, text);
    CHECK_TEXT(client_message(client, count)->text, text);
}

void connect_socket(int fd, const server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
}

int silent_socket(const server *server, const char *request)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect_socket(fd, server);
    CHECK(send(fd, request, strlen(request), 0) == (ssize_t)strlen(request));
    return fd;
}

void read_until(int fd, const char *text)
{
    char seen[4096] = {0};
    for (size_t size = 0; strstr(seen, text) == NULL;) {
        ssize_t count = recv(fd, seen + size, sizeof seen - 1 - size, 0);
        if (count <= 0) FAIL("it ended after \"%s\"", seen);
        size += (size_t)count;
    }
}

size_t read_to_end(int fd, char *buffer, size_t capacity)
{
    size_t size = 0;
    for (ssize_t count; (count = recv(fd, buffer + size, capacity - 1 - size, 0)) > 0;) size += (size_t)count;
    buffer[size] = 0;
    return size;
}

size_t drain(int fd, char *buffer, size_t capacity)
{
    size_t size = read_to_end(fd, buffer, capacity);
    close(fd);
    return size;
}

/* What the log has had. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[65536];
static size_t log_size;

static void take_line(hw_log_level level, const char *line, size_t size, void *context)
{
    (void)context;
    pthread_mutex_lock(&log_lock);
    if (log_size + size + 16 < sizeof log_text)
        log_size += (size_t)snprintf(log_text + log_size, sizeof log_text - log_size, "%d: %.*s\n", level, (int)size, line);
    pthread_mutex_unlock(&log_lock);
}

void log_start(hw_log_level level) { CHECK_STATUS(hw_log(level, take_line, NULL), HW_OK); }

int log_count(const char *text)
{
    int count = 0;
    pthread_mutex_lock(&log_lock);
    for (const char *found = log_text; (found = strstr(found, text)) != NULL; found++) count++;
    pthread_mutex_unlock(&log_lock);
    return count;
}
