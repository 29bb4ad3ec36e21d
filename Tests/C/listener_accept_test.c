/* Whom a listener lets in, and what its host sees of who asks. */
#include "listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(the_host_sees_who_asks_and_may_turn_away)
{
    server server;
    server_init(&server);
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");

    client *refused = plain_client();
    CHECK_STATUS(hw_config_add_header(refused->config, "X-Token", "secret", NULL), HW_OK);
    client_open(refused, server.url);
    uint64_t attempt_id;
    AWAIT((attempt_id = take_attempt(&server)) > 0);
    CHECK_TEXT(server.resource, "/chat?room=1");
    CHECK_CONTAINS(server.fields, "X-Token: secret\r\n");
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 200, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id + 1, 0, NULL), HW_E_STATE);
    char reason[1027];
    memset(reason, 'x', sizeof reason);
    memcpy(reason + 1023, "\xc3\xa9", 3);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 403, reason), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 403, "\xc3"), HW_E_UTF8);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 403, "not you"), HW_OK);
    const record *failed = client_event(refused, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_EQUAL(failed->event.http_status, 403);
    CHECK_CONTAINS((const char *)failed->event.body, "not you");
    AWAIT(counted(&server, &server.released) == 1);
    client_free(refused);

    client *accepted = plain_client();
    client_open(accepted, server.url);
    AWAIT((attempt_id = take_attempt(&server)) > 0);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 0, NULL), HW_OK);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 0, NULL), HW_E_STATE);
    client_state(accepted, HW_STATE_CONNECTED, 0);
    client_free(accepted);
    AWAIT(counted(&server, &server.released) == 2);
    server.released = server.opened;
    server_end(&server);
}

TEST(a_client_about_whom_nobody_decides_is_given_up)
{
    server server;
    server_init(&server);
    server_set(&server, "connect.timeout", "100ms");
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");
    char seen[4096];
    CHECK_EQUAL(drain(silent_socket(&server, request), seen, sizeof seen), 0);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_TEXT(server.failure, "hw_connection_accept was not called within connect.timeout");
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

/* What no browser would say lets nobody in, and is a mistake. */
TEST(origins_that_nobody_has_are_told)
{
    const char *bad[] = {"*", "a.example", "https://", "https://a.example/", "https://a.example/chat", "https://a.example:443",
                         "http://b.example:80", "https://user@a.example", "https://*.a.example", "https://a.example, b.example"};
    const char *good[] = {"https://a.example:8443", "HTTP://localhost:8080", "null", "http://[::1]:3000", "https://a.example:80",
                          "chrome-extension://abcdef", "https://a.example,, http://b.example"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof good / sizeof *good; i++) {
        int is_bad = i < sizeof bad / sizeof *bad;
        hw_config *config;
        hw_listener *listener = NULL;
        hw_error error = NEW_ERROR;
        CHECK_STATUS(hw_config_new(&config), HW_OK);
        const char *origins = is_bad ? bad[i] : good[i - sizeof bad / sizeof *bad];
        CHECK_STATUS(hw_config_set(config, "listener.origins", origins, NULL), HW_OK);
        CHECK_STATUS(hw_listener_open(config, "ws://127.0.0.1:0", &listener, &error), is_bad ? HW_E_VALUE : HW_OK);
        if (is_bad) CHECK_CONTAINS(error.message, "no port that is the scheme's own");
        hw_listener_close(listener);
        hw_config_free(config);
    }
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

/* Clients come and go, and are turned away: nothing of it is a mistake of the program's. */
TEST(a_client_that_is_turned_away_counts_as_no_failure_and_alarms_nobody)
{
    static char text[1 << 20];
    log_start(HW_LOG_INFO);
    server server;
    server_init(&server);
    server_set(&server, "metrics.name", "doorkeeper");
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");
    int fd = silent_socket(&server, request);
    uint64_t attempt_id;
    AWAIT((attempt_id = take_attempt(&server)) > 0);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 403, "not you"), HW_OK);
    AWAIT(counted(&server, &server.released) == 1);
    drain(fd, text, sizeof text);
    CHECK_CONTAINS(text, "HTTP/1.1 403 ");
    CHECK_STATUS(hw_metrics_write(text, sizeof text, NULL), HW_OK);
    CHECK_CONTAINS(text, "heartwire_attempts_failed_total{connection=\"doorkeeper\"} 0\n");
    CHECK_CONTAINS(text, "heartwire_errors_total{connection=\"doorkeeper\"} 0\n");
    CHECK_CONTAINS(text, "heartwire_listener_refused_total{listener=\"doorkeeper\",reason=\"application\"} 1\n");
    char warning[32], error[32], info[32];
    snprintf(error, sizeof error, "%d: connection ", HW_LOG_ERROR);
    snprintf(warning, sizeof warning, "%d: connection ", HW_LOG_WARNING);
    snprintf(info, sizeof info, "%d: connection ", HW_LOG_INFO);
    AWAIT(log_count(info) >= 2);
    CHECK_EQUAL(log_count(warning) + log_count(error), 0);
    server.released = server.opened;
    server_end(&server);
}

TEST(each_end_sees_the_address_of_the_other)
{
    const char *urls[] = {"ws://127.0.0.1:0", "ws://[::1]:0", "ws://[::]:0"};
    const char *hosts[] = {"127.0.0.1", "[::1]", "127.0.0.1"};
    for (int i = 0; i < 3; i++) {
        server server;
        server_init(&server);
        CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
        server_open(&server, urls[i]);
        char url[64], expected[64], text[81];
        snprintf(url, sizeof url, "ws://%s:%u", hosts[i], server.port);
        client *client = plain_client();
        CHECK_STATUS(hw_connection_peer_address(NULL, text, sizeof text, NULL), HW_E_HANDLE);
        client_open(client, url);
        uint64_t attempt_id;
        AWAIT((attempt_id = take_attempt(&server)) > 0);
        size_t size;
        CHECK_STATUS(hw_connection_peer_address(latest_client(&server), text, sizeof text, &size), HW_OK);
        CHECK_EQUAL(size, strlen(text));
        snprintf(expected, sizeof expected, "%s:", hosts[i]);
        CHECK(strncmp(text, expected, strlen(expected)) == 0);
        CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 0, NULL), HW_OK);
        client_state(client, HW_STATE_CONNECTED, 0);
        snprintf(expected, sizeof expected, "%s:%u", hosts[i], server.port);
        CHECK_STATUS(hw_connection_peer_address(client->connection, text, sizeof text, NULL), HW_OK);
        CHECK_TEXT(text, expected);
        CHECK_STATUS(hw_connection_peer_address(client->connection, text, strlen(expected), &size), HW_E_BUFFER);
        CHECK_EQUAL(size, strlen(expected));
        CHECK_STATUS(hw_connection_peer_address(client->connection, NULL, 0, &size), HW_E_BUFFER);
        CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
        client_state(client, HW_STATE_DISCONNECTED, 0);
        CHECK_STATUS(hw_connection_peer_address(client->connection, text, sizeof text, NULL), HW_E_STATE);
        client_free(client);
        AWAIT(counted(&server, &server.released) == 1);
        server_end(&server);
    }
}
