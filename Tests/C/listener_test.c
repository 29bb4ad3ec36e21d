/* The other end: a listener and its clients, which are the library's own, or sockets that do as they like. */
#include "client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listener that echoes, and what its clients have told. */
typedef struct {
    hw_config *config;
    hw_listener *listener;
    uint16_t port;
    char url[64];
    pthread_mutex_t lock;
    hw_connection *latest; /* the client that was heard of last */
    uint64_t attempt_id;   /* of its HW_EVENT_ACCEPT_DUE */
    char resource[256], fields[2048];
    int opened, closed, released;
    int close_code, close_status;
} server;

static void echo(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)context;
    for (size_t i = 0; i < count; i++) hw_connection_send(connection, messages[i].kind, messages[i].data, messages[i].size, NULL, NULL);
}

static void take_event(hw_connection *connection, const hw_event *event, void *context)
{
    server *server = context;
    pthread_mutex_lock(&server->lock);
    server->latest = connection;
    if (event->kind == HW_EVENT_OPENED) server->opened++;
    if (event->kind == HW_EVENT_RELEASED) server->released++;
    if (event->kind == HW_EVENT_CLOSED) {
        server->closed++;
        server->close_code = event->close_code;
        server->close_status = event->status;
    }
    if (event->kind == HW_EVENT_ACCEPT_DUE) {
        snprintf(server->resource, sizeof server->resource, "%.*s", (int)event->text_size, event->text);
        snprintf(server->fields, sizeof server->fields, "%.*s", (int)event->body_size, (const char *)event->body);
        server->attempt_id = event->attempt_id;
    }
    pthread_mutex_unlock(&server->lock);
}

static int counted(server *server, int *counter)
{
    pthread_mutex_lock(&server->lock);
    int value = *counter;
    pthread_mutex_unlock(&server->lock);
    return value;
}

static void server_init(server *server)
{
    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->lock, NULL);
    CHECK_STATUS(hw_config_new(&server->config), HW_OK);
    CHECK_STATUS(hw_config_on_messages(server->config, echo, NULL), HW_OK);
    CHECK_STATUS(hw_config_on_event(server->config, take_event, server), HW_OK);
}

static void server_set(server *server, const char *name, const char *value)
{
    hw_error error = {.struct_size = sizeof error};
    if (hw_config_set(server->config, name, value, &error) != HW_OK) FAIL("%s", error.message);
}

static void server_open(server *server, const char *url)
{
    hw_error error = {.struct_size = sizeof error};
    if (hw_listener_open(server->config, url, &server->listener, &error) != HW_OK) FAIL("%s", error.message);
    CHECK_STATUS(hw_listener_port(server->listener, &server->port), HW_OK);
    CHECK(server->port > 0);
    snprintf(server->url, sizeof server->url, "ws://127.0.0.1:%u/chat?room=1", server->port);
}

static void server_start(server *server)
{
    server_init(server);
    server_open(server, "ws://127.0.0.1:0");
}

static void server_end(server *server)
{
    hw_listener_close(server->listener);
    AWAIT(counted(server, &server->released) == counted(server, &server->opened));
    hw_config_free(server->config);
}

static client *plain_client(void)
{
    client *new = client_new();
    client_set(new, "ping.interval", "0");
    client_set(new, "reconnect.enabled", "false");
    return new;
}

TEST(messages_go_both_ways)
{
    server server;
    server_start(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    client_send(client, "h\xc3\xa9llo");
    CHECK_TEXT(client_message(client, 0)->text, "h\xc3\xa9llo");
    CHECK_STATUS(hw_connection_send(client->connection, HW_BINARY, "\0\1", 2, NULL, NULL), HW_OK);
    const record *binary = client_message(client, 1);
    CHECK_EQUAL(binary->message.kind, HW_BINARY);
    CHECK_EQUAL(binary->message.size, 2);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, "done"), HW_OK);
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.close_code, 1000);
    CHECK_STATUS(closed->event.status, HW_OK);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_EQUAL(server.close_code, 1000);
    CHECK_STATUS(hw_connection_send(server.latest, HW_TEXT, "late", 4, NULL, NULL), HW_E_HANDLE);
    client_free(client);
    server_end(&server);
}

TEST(a_listener_speaks_ipv6_and_ipv4_at_once)
{
    server server;
    server_init(&server);
    server_open(&server, "ws://[::]:0");
    const char *hosts[] = {"127.0.0.1", "[::1]"};
    for (int i = 0; i < 2; i++) {
        char url[64];
        snprintf(url, sizeof url, "ws://%s:%u", hosts[i], server.port);
        client *client = plain_client();
        client_connect(client, url);
        client_send(client, "hello");
        client_message(client, 0);
        client_free(client);
    }
    server_end(&server);
}

TEST(what_is_agreed_on_is_the_clients_favourite)
{
    server server;
    server_init(&server);
    server_set(&server, "subprotocols", "b, c");
    server_set(&server, "compression", "on");
    server_open(&server, "ws://127.0.0.1:0");
    client *client = plain_client();
    client_set(client, "subprotocols", "a, c, b");
    client_set(client, "compression", "on");
    client_connect(client, server.url);
    const record *opened = client_event(client, HW_EVENT_OPENED, 0);
    CHECK_TEXT(opened->text, "c");
    CHECK_EQUAL(opened->event.compressed, 1);
    char large[5000];
    memset(large, 'x', sizeof large);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, large, sizeof large, NULL, NULL), HW_OK);
        CHECK_EQUAL(client_message(client, (size_t)i)->message.size, sizeof large);
    }
    CHECK(client_metrics(client).bytes_received < sizeof large);
    client_free(client);
    server_end(&server);
}

TEST(the_host_sees_who_asks_and_may_turn_away)
{
    server server;
    server_init(&server);
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");

    client *refused = plain_client();
    CHECK_STATUS(hw_config_add_header(refused->config, "X-Token", "secret", NULL), HW_OK);
    client_open(refused, server.url);
    AWAIT(counted(&server, (int *)&server.attempt_id) != 0);
    CHECK_TEXT(server.resource, "/chat?room=1");
    CHECK_CONTAINS(server.fields, "X-Token: secret\r\n");
    CHECK_STATUS(hw_connection_accept(server.latest, server.attempt_id, 200, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_accept(server.latest, server.attempt_id + 1, 0, NULL), HW_E_STATE);
    CHECK_STATUS(hw_connection_accept(server.latest, server.attempt_id, 403, "not you"), HW_OK);
    const record *failed = client_event(refused, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_EQUAL(failed->event.http_status, 403);
    CHECK_CONTAINS((const char *)failed->event.body, "not you");
    AWAIT(counted(&server, &server.released) == 1);
    client_free(refused);

    server.attempt_id = 0;
    client *accepted = plain_client();
    client_open(accepted, server.url);
    AWAIT(counted(&server, (int *)&server.attempt_id) != 0);
    CHECK_STATUS(hw_connection_accept(server.latest, server.attempt_id, 0, NULL), HW_OK);
    CHECK_STATUS(hw_connection_accept(server.latest, server.attempt_id, 0, NULL), HW_E_STATE);
    client_state(accepted, HW_STATE_CONNECTED, 0);
    client_free(accepted);
    AWAIT(counted(&server, &server.released) == 2);
    server.released = server.opened;
    server_end(&server);
}

TEST(pages_of_other_origins_are_turned_away)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.origins", "https://a.example, https://b.example");
    server_open(&server, "ws://127.0.0.1:0");
    const struct {
        const char *origin;
        int status;
    } cases[] = {{"https://B.example", 0}, {NULL, 0}, {"https://b.example.evil", 403}, {"http://b.example", 403}, {"null", 403}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = plain_client();
        if (cases[i].origin) CHECK_STATUS(hw_config_add_header(client->config, "Origin", cases[i].origin, NULL), HW_OK);
        client_open(client, server.url);
        if (cases[i].status == 0) {
            client_state(client, HW_STATE_CONNECTED, 0);
        } else {
            CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, cases[i].status);
        }
        client_free(client);
    }
    server_end(&server);
}

TEST(too_many_clients_are_turned_away)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.connections_max", "1");
    server_open(&server, "ws://127.0.0.1:0");
    client *first = plain_client(), *second = plain_client();
    client_connect(first, server.url);
    client_open(second, server.url);
    CHECK_EQUAL(client_event(second, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, 503);
    client_free(second);
    client_free(first);
    AWAIT(counted(&server, &server.released) == 1);
    client *third = plain_client();
    client_connect(third, server.url);
    client_free(third);
    server_end(&server);
}

/* A socket that has asked for a connection, and does nothing more. */
static int silent_socket(server *server, const char *request)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(send(fd, request, strlen(request), 0) == (ssize_t)strlen(request));
    return fd;
}

static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* All that the socket still gets, up to its end. */
static size_t drain(int fd, char *buffer, size_t capacity)
{
    size_t size = 0;
    for (ssize_t count; (count = recv(fd, buffer + size, capacity - 1 - size, 0)) > 0;) size += (size_t)count;
    buffer[size] = 0;
    close(fd);
    return size;
}

TEST(clients_that_answer_no_ping_are_closed)
{
    server server;
    server_init(&server);
    server_set(&server, "ping.interval", "50ms");
    server_set(&server, "ping.timeout", "1s");
    server_set(&server, "close.timeout", "100ms");
    server_open(&server, "ws://127.0.0.1:0");
    client *alive = plain_client();
    client_connect(alive, server.url);
    int fd = silent_socket(&server, request);
    AWAIT(counted(&server, &server.closed) == 1);
    CHECK_EQUAL(server.close_code, 1001);
    CHECK_STATUS(server.close_status, HW_E_HEARTBEAT);
    char seen[4096];
    size_t size = drain(fd, seen, sizeof seen);
    static const char goodbye[] = "\x88\x13\x03\xe9Heartbeat timeout";
    CHECK(size > sizeof goodbye && memcmp(seen + size - (sizeof goodbye - 1), goodbye, sizeof goodbye - 1) == 0);
    CHECK_CONTAINS(seen, "HTTP/1.1 101 Switching Protocols\r\n");
    CHECK_CONTAINS(seen, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    CHECK_EQUAL(client_event_count(alive, HW_EVENT_CLOSED), 0);
    client_free(alive);
    server_end(&server);
}

/* Reads until so many pings have come. */
static void read_pings(int fd, int count)
{
    char bytes[4096];
    size_t size = 0;
    while (count > 0) {
        ssize_t more = recv(fd, bytes + size, sizeof bytes - size, 0);
        CHECK(more > 0);
        size += (size_t)more;
        for (char *ping; count > 0 && (ping = memmem(bytes, size, "\x89\x08", 2)) != NULL && ping + 10 <= bytes + size; count--) {
            size -= (size_t)(ping + 10 - bytes);
            memmove(bytes, ping + 10, size);
        }
    }
}

TEST(clients_that_miss_pings_are_pinged_faster)
{
    server server;
    server_init(&server);
    server_set(&server, "ping.interval", "2s");
    server_set(&server, "ping.interval_poor", "20ms");
    server_set(&server, "heartbeat.adaptive", "true");
    server_set(&server, "ping.timeout", "50ms");
    server_set(&server, "ping.missed_max", "1000");
    server_open(&server, "ws://127.0.0.1:0");
    client *alive = plain_client();
    client_connect(alive, server.url);
    int fd = silent_socket(&server, request);
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    /* At the interval of those that answer, this would take a minute. */
    read_pings(fd, 30);
    close(fd);
    client_free(alive);
    server_end(&server);
}

TEST(what_is_no_proper_request_is_answered_and_none_of_the_hosts_business)
{
    server server;
    server_init(&server);
    server_set(&server, "connect.timeout", "1s");
    server_open(&server, "ws://127.0.0.1:0");
    char seen[4096];
    drain(silent_socket(&server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), seen, sizeof seen);
    CHECK_CONTAINS(seen, "HTTP/1.1 426 ");
    drain(silent_socket(&server, "\x16\x03\x01 hello\r\n\r\n"), seen, sizeof seen);
    CHECK_CONTAINS(seen, "HTTP/1.1 400 ");
    CHECK_EQUAL(drain(silent_socket(&server, "GET / HT"), seen, sizeof seen), 0);
    CHECK(server.latest == NULL);
    server_end(&server);
}

TEST(frames_of_clients_must_be_masked)
{
    server server;
    server_init(&server);
    server_set(&server, "close.timeout", "100ms");
    server_open(&server, "ws://127.0.0.1:0");
    char bytes[sizeof request + 8], seen[4096];
    snprintf(bytes, sizeof bytes, "%s\x81\x01x", request);
    size_t size = drain(silent_socket(&server, bytes), seen, sizeof seen);
    CHECK(size > 4 && memmem(seen, size, "\x03\xea", 2) != NULL);
    AWAIT(counted(&server, &server.closed) == 1);
    CHECK_STATUS(server.close_status, HW_E_PROTOCOL);
    server_end(&server);
}

TEST(broadcasts_reach_a_group_or_all)
{
    server server;
    server_start(&server);
    client *clients[3];
    hw_connection *handles[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = plain_client();
        client_connect(clients[i], server.url);
        AWAIT(counted(&server, &server.opened) == i + 1);
        handles[i] = server.latest;
    }
    uint64_t reached = 0;
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "to all", 6, &reached), HW_OK);
    CHECK_EQUAL(reached, 3);
    for (int i = 0; i < 2; i++) CHECK_STATUS(hw_listener_join(server.listener, handles[i], "some"), HW_OK);
    CHECK_STATUS(hw_listener_join(server.listener, handles[0], "some"), HW_OK);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "some", HW_BINARY, "\1", 1, &reached), HW_OK);
    CHECK_EQUAL(reached, 2);
    CHECK_STATUS(hw_listener_leave(server.listener, handles[0], "some"), HW_OK);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "some", HW_TEXT, "to one", 6, &reached), HW_OK);
    CHECK_EQUAL(reached, 1);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "none", HW_TEXT, "", 0, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    CHECK_TEXT(client_message(clients[2], 0)->text, "to all");
    CHECK_EQUAL(client_message(clients[0], 1)->message.kind, HW_BINARY);
    CHECK_TEXT(client_message(clients[1], 2)->text, "to one");
    client_free(clients[1]);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "some", HW_TEXT, "", 0, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    CHECK_STATUS(hw_listener_join(server.listener, handles[1], "some"), HW_E_HANDLE);
    CHECK_STATUS(hw_listener_join(server.listener, clients[0]->connection, "some"), HW_E_STATE);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "", HW_TEXT, "", 0, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "\xff", 1, NULL), HW_E_UTF8);
    client_free(clients[0]);
    client_free(clients[2]);
    server_end(&server);
}

TEST(closing_says_goodbye_and_lets_nobody_in)
{
    server server;
    server_start(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    hw_listener_close(server.listener);
    CHECK_STATUS(hw_listener_port(server.listener, &server.port), HW_E_HANDLE);
    hw_listener_close(server.listener);
    hw_listener_close(NULL);
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.close_code, 1001);
    CHECK_EQUAL(closed->event.by_peer, 1);
    AWAIT(counted(&server, &server.released) == 1);
    struct client *late = plain_client();
    client_open(late, server.url);
    CHECK_STATUS(client_event(late, HW_EVENT_ATTEMPT_FAILED, 0)->event.status, HW_E_CONNECT);
    client_free(late);
    client_free(client);
    hw_config_free(server.config);
}

TEST(a_place_that_cannot_be_had_is_told)
{
    server server;
    server_start(&server);
    hw_listener *other = NULL;
    hw_error error = {.struct_size = sizeof error};
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", server.port);
    CHECK_STATUS(hw_listener_open(server.config, url, &other, &error), HW_E_SYSTEM);
    CHECK_CONTAINS(error.message, "cannot listen at 127.0.0.1:");
    CHECK_STATUS(hw_listener_open(server.config, "http://x", &other, &error), HW_E_URL);
    CHECK_STATUS(hw_listener_open(server.config, "wss://127.0.0.1:0", &other, &error), HW_E_CONFLICT);
    CHECK_STATUS(hw_listener_open(server.config, "ws://no.such.host.invalid:0", &other, &error), HW_E_RESOLVE);
    CHECK_STATUS(hw_listener_open(NULL, url, &other, &error), HW_E_HANDLE);
    CHECK_STATUS(hw_listener_open(server.config, NULL, &other, &error), HW_E_ARGUMENT);
    CHECK_STATUS(hw_listener_open(server.config, url, NULL, &error), HW_E_ARGUMENT);
    CHECK(other == NULL);
    server_end(&server);
}

TEST(a_shutdown_ends_clients_and_lets_nobody_in)
{
    server server;
    server_start(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    AWAIT(counted(&server, &server.opened) == 1);
    CHECK_STATUS(hw_shutdown(5000, NULL), HW_OK);
    AWAIT(counted(&server, &server.released) == 1);
    struct client *late = plain_client();
    client_open(late, server.url);
    CHECK_STATUS(client_event(late, HW_EVENT_ATTEMPT_FAILED, 0)->event.status, HW_E_CONNECT);
    client_free(late);
    client_free(client);
    server_end(&server);
}

/* What a host does with a client's handle may cross the client's own end. */
TEST(a_client_that_is_released_is_cut_off)
{
    server server;
    server_start(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    AWAIT(counted(&server, &server.opened) == 1);
    hw_connection_release(server.latest);
    CHECK_EQUAL(counted(&server, &server.released), 1);
    CHECK_EQUAL(client_event(client, HW_EVENT_CLOSED, 0)->event.close_code, 1001);
    uint64_t reached = 1;
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "", 0, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    client_free(client);
    server_end(&server);
}

TEST(clients_come_and_go_while_all_are_sent_to)
{
    server server;
    server_start(&server);
    for (int round = 0; round < 20; round++) {
        client *clients[8];
        for (int i = 0; i < 8; i++) {
            clients[i] = plain_client();
            client_open(clients[i], server.url);
        }
        for (int i = 0; i < 8; i++) {
            client_state(clients[i], HW_STATE_CONNECTED, 0);
            CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "news", 4, NULL), HW_OK);
        }
        for (int i = 0; i < 8; i++) client_free(clients[i]);
    }
    AWAIT(counted(&server, &server.opened) == 160);
    server_end(&server);
}
