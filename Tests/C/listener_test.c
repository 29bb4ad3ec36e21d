/* The other end: a listener and its clients, which are the library's own, or sockets that do as they like. */
#include "listener.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    CHECK_TEXT(server.close_text, "done");
    CHECK_STATUS(hw_connection_send(latest_client(&server), HW_TEXT, "late", 4, NULL, NULL), HW_E_HANDLE);
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

/* Reads until so many pings have come, for as long as a test waits for anything. */
static void read_pings(int fd, int count)
{
    char bytes[4096];
    size_t size = 0;
    for (test_patience patience = test_patience_start(); count > 0;) {
        if (!test_patience_left(&patience)) FAIL("%d more pings never came", count);
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
    CHECK(latest_client(&server) == NULL);
    server_end(&server);
}

/* Sockets that ask for a connection, and leave once they have it. */
static void come_and_go(server *server, int count)
{
    char answer[512];
    for (int i = 0; i < count; i++) {
        int fd = silent_socket(server, request);
        CHECK(recv(fd, answer, sizeof answer, 0) > 0);
        close(fd);
    }
    int expected = server->expected += count;
    AWAIT(counted(server, &server->released) == expected);
}

TEST(clients_that_have_gone_leave_no_memory_behind)
{
    enum { COUNT = 200, BYTES_MAX = 32 };
    server server;
    /* One account of all threads' memory. */
    mallopt(M_ARENA_MAX, 1);
    server_start(&server);
    /* The first ones bring what is kept for later ones. */
    come_and_go(&server, COUNT);
    size_t before = mallinfo2().uordblks;
    come_and_go(&server, COUNT);
    size_t after = mallinfo2().uordblks;
    if (after > before + COUNT * BYTES_MAX) FAIL("%zu bytes more after %d clients", after - before, COUNT);
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
    CHECK_TEXT(server.close_text, "the client sent an unmasked frame");
    server_end(&server);
}

TEST(ends_of_connections_are_told_of_the_client)
{
    server server;
    server_init(&server);
    server_set(&server, "close.timeout", "100ms");
    server_open(&server, "ws://127.0.0.1:0");

    int fd = silent_socket(&server, request);
    read_until(fd, "\r\n\r\n");
    close(fd);
    AWAIT(counted(&server, &server.closed) == 1);
    CHECK_STATUS(server.close_status, HW_E_CONNECTION_LOST);
    CHECK_TEXT(server.close_text, "the client ended the connection without a close handshake");

    fd = silent_socket(&server, request);
    read_until(fd, "\r\n\r\n");
    static const char goodbye[] = "\x88\x85\0\0\0\0\x0f\xa0" "bye";
    CHECK_EQUAL(send(fd, goodbye, sizeof goodbye - 1, 0), sizeof goodbye - 1);
    AWAIT(counted(&server, &server.closed) == 2);
    close(fd);
    CHECK_STATUS(server.close_status, HW_E_CLOSED_BY_PEER);
    CHECK_EQUAL(server.close_code, 4000);
    AWAIT(counted(&server, &server.released) == 2);

    fd = silent_socket(&server, request);
    read_until(fd, "\r\n\r\n");
    AWAIT(counted(&server, &server.opened) == 3);
    size_t size = 8 << 20;
    char *large = calloc(1, size);
    CHECK_STATUS(hw_connection_send(latest_client(&server), HW_BINARY, large, size, NULL, NULL), HW_OK);
    free(large);
    CHECK_STATUS(hw_connection_close(latest_client(&server), 1000, NULL), HW_OK);
    AWAIT(counted(&server, &server.closed) == 3);
    close(fd);
    CHECK_STATUS(server.close_status, HW_E_CONNECTION_LOST);
    CHECK_TEXT(server.close_text, "the time to close ran out before everything was sent and the client had answered");
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
    CHECK_STATUS(hw_listener_open(server.config, "ws://127.0.0.1:65536", &other, &error), HW_E_URL);
    CHECK_CONTAINS(error.message, "from 0 to 65535");
    CHECK_STATUS(hw_listener_open(server.config, "ws://user:secret@127.0.0.1:0", &other, &error), HW_E_URL);
    CHECK_CONTAINS(error.message, "names no user: hw_config_before_accept");
    CHECK(strstr(error.message, "secret") == NULL);
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
    hw_connection_release(latest_client(&server));
    CHECK_EQUAL(counted(&server, &server.released), 1);
    CHECK_EQUAL(client_event(client, HW_EVENT_CLOSED, 0)->event.close_code, 1001);
    uint64_t reached = 1;
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "", 0, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    client_free(client);
    server_end(&server);
}
