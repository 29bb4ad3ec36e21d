/* Messages there and back, against servers that nobody here wrote. */
#include "client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends text and binary, an empty message, bytes that are no UTF-8, and expects each back unchanged. */
static void echo_everything(const char *url)
{
    static const char bytes[] = {0, 1, (char)0xFF, (char)0xC3, 0, 2};
    client *client = client_connected(url);
    uint64_t id = 0;
    client_send(client, "h\xC3\xA9llo");
    CHECK_STATUS(hw_connection_send(client->connection, HW_BINARY, bytes, sizeof bytes, NULL, &id), HW_OK);
    CHECK_EQUAL(id, 2);
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, NULL, 0, NULL, &id), HW_OK);
    CHECK_EQUAL(id, 3);

    const record *text = client_message(client, 0), *binary = client_message(client, 1), *empty = client_message(client, 2);
    CHECK_EQUAL(text->message.kind, HW_TEXT);
    CHECK_TEXT(text->text, "h\xC3\xA9llo");
    CHECK_EQUAL(text->message.epoch, 1);
    CHECK_EQUAL(text->message.flags, 0);
    CHECK_EQUAL(binary->message.kind, HW_BINARY);
    CHECK_EQUAL(binary->message.size, sizeof bytes);
    CHECK(memcmp(binary->message.data, bytes, sizeof bytes) == 0);
    CHECK_EQUAL(empty->message.kind, HW_TEXT);
    CHECK_EQUAL(empty->message.size, 0);

    hw_metrics metrics = client_metrics(client);
    CHECK_EQUAL(metrics.messages_sent, 3);
    CHECK_EQUAL(metrics.messages_received, 3);
    CHECK_EQUAL(metrics.state, HW_STATE_CONNECTED);
    CHECK_EQUAL(metrics.epoch, 1);
    CHECK_EQUAL(metrics.queue_messages, 0);
    CHECK_EQUAL(metrics.last_message_ns, empty->message.received_ns);
    client_free(client);
}

TEST(echo_over_ws)
{
    echo_everything(server_url("ws", "/echo"));
}

TEST(echo_over_verified_wss)
{
    echo_everything(server_url("wss", "/echo"));
}

TEST(echo_with_aiohttp)
{
    echo_everything(server_url("aiohttp", "/echo"));
}

TEST(echo_over_an_ipv6_literal)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    int has_ipv6 = probe >= 0 && bind(probe, (struct sockaddr *)&address, sizeof address) == 0;
    if (probe >= 0) close(probe);
    if (!has_ipv6) {
        puts("no IPv6 loopback on this machine");
        return;
    }
    char url[128];
    snprintf(url, sizeof url, "ws://[::1]:%s/echo", server_fact("ws"));
    echo_everything(url);
    /* The certificate names the address itself. */
    snprintf(url, sizeof url, "wss://[::1]:%s/echo", server_fact("wss"));
    echo_everything(url);
    snprintf(url, sizeof url, "wss://127.0.0.1:%s/echo", server_fact("wss"));
    echo_everything(url);
    /* A zone only says how to get there. */
    snprintf(url, sizeof url, "wss://[::1%%1]:%s/echo", server_fact("wss"));
    echo_everything(url);
}

TEST(header_fields_reach_the_server)
{
    client *client = client_new();
    CHECK_STATUS(hw_config_add_header(client->config, "X-Token", "s3cret value", NULL), HW_OK);
    CHECK_STATUS(hw_config_add_header(client->config, "X-Twice", "one", NULL), HW_OK);
    CHECK_STATUS(hw_config_add_header(client->config, "X-Twice", "two", NULL), HW_OK);
    client_open(client, server_url("ws", "/headers?a=b"));
    const char *fields = client_message(client, 0)->text;
    CHECK_CONTAINS(fields, "\"x-token\": \"s3cret value\"");
    CHECK_CONTAINS(fields, "\"x-twice\": \"one, two\"");
    CHECK_CONTAINS(fields, "\"sec-websocket-version\": \"13\"");
    char host[64];
    snprintf(host, sizeof host, "\"host\": \"localhost:%s\"", server_fact("ws"));
    CHECK_CONTAINS(fields, host);
    client_free(client);
}

TEST(subprotocol_is_agreed)
{
    static const struct {
        const char *server, *offered, *agreed;
    } cases[] = {
        {"ws", "unknown, echo", "echo"},
        {"aiohttp", "echo", "echo"},
        {"ws", "chat", "chat"},
        {"ws", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_set(client, "subprotocols", cases[i].offered);
        client_open(client, server_url(cases[i].server, "/echo"));
        CHECK_TEXT(client_event(client, HW_EVENT_OPENED, 0)->text, cases[i].agreed);
        client_free(client);
    }
}

TEST(large_message_returns_unchanged)
{
    enum { SIZE = 1 << 20 };
    char *sent = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) sent[i] = (char)(i * 31 + (i >> 8));
    const char *servers[] = {"ws", "wss", "aiohttp"};
    for (size_t i = 0; i < 3; i++) {
        client *client = client_connected(server_url(servers[i], "/echo"));
        CHECK_STATUS(hw_connection_send(client->connection, HW_BINARY, sent, SIZE, NULL, NULL), HW_OK);
        const record *received = client_message(client, 0);
        CHECK_EQUAL(received->message.size, SIZE);
        CHECK(memcmp(received->message.data, sent, SIZE) == 0);
        client_free(client);
    }
    free(sent);
}

TEST(large_message_is_sent_in_fragments)
{
    char payload[1000];
    memset(payload, 'x', sizeof payload);
    client *client = client_new();
    client_set(client, "message.fragment_bytes", "400");
    client_open(client, server_url("raw", "/report-frames"));
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, payload, 1000, NULL, NULL), HW_OK);
    CHECK_TEXT(client_message(client, 0)->text, "[400, 400, 200]");
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, payload, 400, NULL, NULL), HW_OK);
    CHECK_TEXT(client_message(client, 1)->text, "[400]");
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, payload, 0, NULL, NULL), HW_OK);
    CHECK_TEXT(client_message(client, 2)->text, "[0]");
    client_free(client);
}

TEST(fragments_become_one_message_and_the_ping_between_is_answered)
{
    client *client = client_connected(server_url("raw", "/fragments"));
    CHECK_TEXT(client_message(client, 0)->text, "one, two, three");
    CHECK_TEXT(client_message(client, 1)->text, "OK");
    CHECK_EQUAL(client_metrics(client).pings_received, 1);
    CHECK_EQUAL(client_metrics(client).pongs_sent, 1);
    client_free(client);
}

TEST(ping_is_answered_with_its_own_payload)
{
    client *client = client_connected(server_url("raw", "/ping-then-report"));
    CHECK_TEXT(client_message(client, 0)->text, "00686561727477697265ff");
    client_free(client);
}

TEST(first_message_in_the_handshakes_segment_is_not_lost)
{
    client *client = client_connected(server_url("raw", "/two-in-one"));
    CHECK_TEXT(client_message(client, 0)->text, "first");
    client_free(client);
}

TEST(bytes_may_arrive_one_at_a_time)
{
    client *client = client_connected(server_url("raw", "/slow"));
    CHECK_TEXT(client_message(client, 0)->text, "slow");
    client_free(client);
}
