/* The monitor: its page, who may see it, and its connection. */
#include "listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef-._~ABC"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static char page[1 << 20];

static const char *answer_to(server *server, const char *text)
{
    drain(silent_socket(server, text), page, sizeof page);
    return page;
}

static void monitor_open(server *server, const char *token)
{
    server_init(server);
    server_set(server, "listener.monitor", "true");
    server_set(server, "listener.metrics", "true");
    if (token != NULL) server_set(server, "listener.monitor_token", token);
    server_open(server, token == NULL ? "ws://127.0.0.1:0" : "ws://0.0.0.0:0");
}

/* A page's connection. */
static client *viewer(server *server, const char *query)
{
    char url[128];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/monitor/live%s", server->port, query);
    client *new = plain_client();
    client_set(new, "metrics.name", "viewer");
    client_open(new, url);
    return new;
}

TEST(the_page_is_whole_and_may_do_no_more_than_it_needs)
{
    server server;
    monitor_open(&server, NULL);
    size_t size = drain(silent_socket(&server, GET("/monitor")), page, sizeof page);
    CHECK_CONTAINS(page, "HTTP/1.1 200 OK\r\n");
    CHECK_CONTAINS(page, "\r\nContent-Encoding: gzip\r\n");
    CHECK_CONTAINS(page, "\r\nContent-Type: text/html; charset=utf-8\r\n");
    CHECK_CONTAINS(page, "\r\nContent-Security-Policy: default-src 'none'; connect-src 'self'; ");
    CHECK_CONTAINS(page, "; script-src 'sha256-");
    CHECK_CONTAINS(page, "; style-src 'sha256-");
    CHECK(strstr(page, "unsafe") == NULL);
    CHECK_CONTAINS(page, "\r\nX-Content-Type-Options: nosniff\r\n");
    CHECK_CONTAINS(page, "\r\nReferrer-Policy: no-referrer\r\n");
    CHECK_CONTAINS(page, "\r\nCache-Control: no-store\r\n");
    const char *body = strstr(page, "\r\n\r\n") + 4;
    CHECK_EQUAL(page + size - body, atoll(strstr(page, "\r\nContent-Length: ") + 18));
    CHECK(memcmp(body, "\x1f\x8b", 2) == 0);
    CHECK_CONTAINS(answer_to(&server, "HEAD /monitor HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 200 ");
    CHECK_TEXT(strstr(page, "\r\n\r\n"), "\r\n\r\n");
    CHECK_CONTAINS(answer_to(&server, GET("/monitor/live")), "HTTP/1.1 426 ");
    CHECK_CONTAINS(answer_to(&server, GET("/monitors")), "HTTP/1.1 426 ");
    CHECK_CONTAINS(answer_to(&server, "POST /monitor HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), "HTTP/1.1 405 ");
    CHECK(latest_client(&server) == NULL);
    server_end(&server);
}

TEST(without_a_token_other_machines_cannot_reach_it)
{
    const char *urls[] = {"ws://0.0.0.0:0", "ws://[::]:0"};
    for (int i = 0; i < 2; i++) {
        hw_config *config;
        hw_listener *listener = NULL;
        hw_error error = NEW_ERROR;
        CHECK_STATUS(hw_config_new(&config), HW_OK);
        CHECK_STATUS(hw_config_set(config, "listener.monitor", "true", NULL), HW_OK);
        CHECK_STATUS(hw_listener_open(config, urls[i], &listener, &error), HW_E_CONFLICT);
        CHECK_CONTAINS(error.message, "set listener.monitor_token, or listen at 127.0.0.1 or [::1]");
        CHECK(listener == NULL);
        const char *bad[] = {
            "short", "0123456789abcde", "0123456789abcdef&", "0123456789abcdef+", "0123456789 abcdef", "0123456789abcd\xc3\xa9",
        };
        for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
            CHECK_STATUS(hw_config_set(config, "listener.monitor_token", bad[j], NULL), HW_OK);
            CHECK_STATUS(hw_listener_open(config, urls[i], &listener, &error), HW_E_VALUE);
            CHECK_CONTAINS(error.message, "listener.monitor_token");
            CHECK(strstr(error.message, bad[j]) == NULL);
        }
        CHECK_STATUS(hw_config_set(config, "listener.monitor_token", TOKEN, NULL), HW_OK);
        CHECK_STATUS(hw_listener_open(config, urls[i], &listener, &error), HW_OK);
        hw_listener_close(listener);
        hw_config_free(config);
    }
}

TEST(the_token_opens_it_and_nothing_else_does)
{
    log_start(HW_LOG_DEBUG);
    server server;
    monitor_open(&server, TOKEN);
    const struct {
        const char *query, *field;
        int status;
    } cases[] = {
        {"", "", 401},
        {"?token=" TOKEN, "", 200},
        {"?a=b&token=" TOKEN "&c", "", 200},
        {"", "Authorization: Bearer " TOKEN "\r\n", 200},
        {"?token=wrong", "authorization: bearer  " TOKEN "\r\n", 200},
        {"?token=", "", 401},
        {"?token", "", 401},
        {"?token=" TOKEN "x", "", 401},
        {"?token=0123456789abcdef-._~ABD", "", 401},
        {"?token=0123456789ABCDEF-._~ABC", "", 401},
        {"?xtoken=" TOKEN, "", 401},
        {"?Token=" TOKEN, "", 401},
        {"", "Authorization: Basic " TOKEN "\r\n", 401},
        {"", "Authorization: Bearer\r\n", 401},
        {"", "Authorization: Bearer" TOKEN "\r\n", 401},
        {"", "Cookie: token=" TOKEN "\r\n", 401},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], status[32];
        snprintf(text, sizeof text, "GET /monitor%s HTTP/1.1\r\nHost: evil.example\r\n%s\r\n", cases[i].query, cases[i].field);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", cases[i].status);
        if (strstr(answer_to(&server, text), status) == NULL) FAIL("case %zu: %.40s", i, page);
        CHECK(strstr(page, TOKEN) == NULL);
        if (cases[i].status == 401) CHECK_CONTAINS(page, "\r\nWWW-Authenticate: Bearer\r\n");
    }
    client *refused = viewer(&server, ""), *wrong = viewer(&server, "?token=0123456789abcdef-._~ABD");
    CHECK_EQUAL(client_event(refused, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, 401);
    CHECK_EQUAL(client_event(wrong, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, 401);
    client *right = viewer(&server, "?token=" TOKEN);
    CHECK_CONTAINS(client_message(right, 0)->text, "\"fleet\":{\"connections\":");
    CHECK(strstr(client_message(right, 0)->text, TOKEN) == NULL);
    CHECK(strstr(answer_to(&server, GET("/metrics")), TOKEN) == NULL);
    client_free(right);
    client_free(wrong);
    client_free(refused);
    server_end(&server);
    CHECK_EQUAL(log_count(TOKEN), 0);
}

/* A name of somebody else's that leads here (DNS rebinding) opens nothing. */
TEST(without_a_token_only_this_machines_names_are_answered)
{
    server server;
    monitor_open(&server, NULL);
    const struct {
        const char *host;
        int status;
    } cases[] = {
        {"localhost", 200}, {"LocalHost:80", 200}, {"127.0.0.1:1", 200}, {"127.1.2.3", 200}, {"[::1]:8080", 200}, {"evil.example", 403},
        {"localhost.evil.example", 403}, {"127.0.0.1.evil.example", 403}, {"192.168.0.1", 403}, {"0.0.0.0", 403}, {"[::]", 403},
        {"[fe80::1]", 403}, {"localhost@evil.example", 400}, {"", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], status[32];
        snprintf(text, sizeof text, "GET /monitor HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", cases[i].status);
        if (strstr(answer_to(&server, text), status) == NULL) FAIL("%s: %.40s", cases[i].host, page);
    }
    CHECK_CONTAINS(answer_to(&server, "GET /monitor/live HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), "HTTP/1.1 403 ");
    server_end(&server);
}

TEST(pages_of_other_origins_get_no_connection)
{
    server server;
    monitor_open(&server, NULL);
    char own[64], secure[64], port[64];
    snprintf(own, sizeof own, "http://127.0.0.1:%u", server.port);
    snprintf(secure, sizeof secure, "https://127.0.0.1:%u", server.port);
    snprintf(port, sizeof port, "http://127.0.0.1:%u1", server.port);
    const struct {
        const char *origin;
        int status;
    } cases[] = {
        {own, 0}, {secure, 0}, {NULL, 0}, {port, 403}, {"http://127.0.0.1", 403}, {"http://localhost", 403}, {"http://evil.example", 403},
        {"null", 403}, {"127.0.0.1", 403},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char url[64];
        snprintf(url, sizeof url, "ws://127.0.0.1:%u/monitor/live", server.port);
        client *client = plain_client();
        if (cases[i].origin) CHECK_STATUS(hw_config_add_header(client->config, "Origin", cases[i].origin, NULL), HW_OK);
        client_open(client, url);
        if (cases[i].status == 0) {
            client_message(client, 0);
        } else {
            CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, cases[i].status);
        }
        client_free(client);
    }
    CHECK(latest_client(&server) == NULL);
    server_end(&server);
}

/* The latest look that has come. */
static const char *look(client *viewer)
{
    return client_message(viewer, client_message_count(viewer) == 0 ? 0 : client_message_count(viewer) - 1)->text;
}

TEST(it_shows_the_connections_of_the_process)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.monitor", "true");
    server_set(&server, "ping.interval", "20ms");
    server_open(&server, "ws://127.0.0.1:0");
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    client *named = plain_client();
    client_set(named, "metrics.name", "a \"fine\" \\<b>feed\xc3\xa9</b>");
    client_connect(named, server.url);
    client *watching = viewer(&server, "");
    AWAIT(strstr(look(watching), "\"healthy\":3") != NULL && strstr(look(watching), "\"quality\":100") != NULL);
    const char *text = look(watching);
    CHECK_EQUAL(text[0], '{');
    CHECK_CONTAINS(text, "\"fleet\":{\"connections\":3,\"error\":0,\"warning\":0,\"healthy\":3,\"latency_worst_ms\":");
    CHECK_CONTAINS(text, ",\"shown\":3},\"connections\":[{\"id\":");
    CHECK_CONTAINS(text, "\"name\":\"a \\\"fine\\\" \\\\<b>feed\xc3\xa9</b>\",\"role\":\"client\",");
    char expected[128];
    snprintf(expected, sizeof expected, ",\"status\":\"healthy\",\"reason\":\"\",\"peer_address\":\"127.0.0.1:%u\",", server.port);
    CHECK_CONTAINS(text, expected);
    /* Latency and age of the beats before. */
    CHECK_CONTAINS(text, "\"beats\":[[");
    /* The query may be a secret. */
    snprintf(expected, sizeof expected, "\"name\":\"ws://127.0.0.1:%u/chat\",\"role\":\"server\"", server.port);
    CHECK_CONTAINS(text, expected);
    CHECK(strstr(text, "room=1") == NULL);
    CHECK_CONTAINS(text, "\"interval_ms\":20,");
    CHECK_CONTAINS(text, "\"queue_messages\":0,\"queue_bytes\":0,\"reconnections\":0,\"dropped\":0}");

    client *lost = client_new();
    client_set(lost, "metrics.name", "lost");
    client_set(lost, "reconnect.base", "1h");
    client_set(lost, "reconnect.cap", "1h");
    client_set(lost, "reconnect.jitter", "none");
    client_open(lost, "ws://127.0.0.1:1");
    client_state(lost, HW_STATE_RECONNECTING, 0);
    AWAIT(strstr(look(watching), "\"fleet\":{\"connections\":4,\"error\":1,") != NULL);
    /* The worst come first. */
    const char *first = strstr(look(watching), "\"connections\":[{\"id\":");
    CHECK(first != NULL && strstr(first, "\"name\":\"lost\",\"role\":\"client\",\"state\":\"reconnecting\",\"status\":\"error\"") != NULL);
    CHECK(strstr(first, "\"lost\"") < strstr(first, "\"viewer\""));
    client_free(lost);
    AWAIT(strstr(look(watching), "\"lost\"") == NULL);
    client_free(watching);
    client_free(named);
    server_end(&server);
}

TEST(its_own_connections_are_none_of_the_hosts_business)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.monitor", "true");
    server_set(&server, "subprotocols", "chat");
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");
    client *watching = viewer(&server, "");
    client_message(watching, 0);
    uint64_t reached = 1;
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "news", 4, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    client_send(watching, "what is said is not heard");
    client_message(watching, 1);
    for (size_t i = 0; i < 2; i++) CHECK_EQUAL(client_message(watching, i)->text[0], '{');
    CHECK(latest_client(&server) == NULL);
    hw_listener_close(server.listener);
    CHECK_EQUAL(client_event(watching, HW_EVENT_CLOSED, 0)->event.close_code, 1001);
    CHECK(latest_client(&server) == NULL);
    client_free(watching);
    hw_config_free(server.config);
}

TEST(what_is_said_to_it_is_bounded)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.monitor", "true");
    server_set(&server, "close.timeout", "100ms");
    server_open(&server, "ws://127.0.0.1:0");
    client *watching = viewer(&server, "");
    client_message(watching, 0);
    char large[2000];
    memset(large, 'x', sizeof large);
    CHECK_STATUS(hw_connection_send(watching->connection, HW_TEXT, large, sizeof large, NULL, NULL), HW_OK);
    CHECK_EQUAL(client_event(watching, HW_EVENT_CLOSED, 0)->event.close_code, 1009);
    client_free(watching);
    server_end(&server);
}

TEST(a_page_that_takes_nothing_keeps_nobody_waiting)
{
    server server;
    monitor_open(&server, NULL);
    int sockets[20];
    for (int i = 0; i < 20; i++) {
        sockets[i] = silent_socket(&server, "GET /monitor/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    }
    client *watching = viewer(&server, "");
    client_message(watching, 2);
    client *client = plain_client();
    client_connect(client, server.url);
    client_send(client, "hello");
    client_message(client, 0);
    for (int i = 0; i < 20; i++) close(sockets[i]);
    client_message(watching, 3);
    client_free(client);
    client_free(watching);
    server_end(&server);
}
