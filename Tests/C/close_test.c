/* The close handshake (RFC 6455 section 7), begun by either side or not answered at all. */
#include "client.h"

#include <stdio.h>
#include <string.h>

TEST(close_by_us_reaches_the_server)
{
    static const struct {
        const char *server;
        uint16_t code;
        const char *reason;
        int seen;
    } cases[] = {{"ws", 1000, NULL, 1000}, {"wss", 4001, "bye now", 4001}, {"ws", 0, NULL, 1005}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[32];
        snprintf(key, sizeof key, "by-us-%zu", i);
        client *client = client_connected(server_url(cases[i].server, "/echo?key=%s", key));
        CHECK_STATUS(hw_connection_close(client->connection, cases[i].code, cases[i].reason), HW_OK);
        CHECK_STATUS(hw_connection_close(client->connection, cases[i].code, cases[i].reason), HW_OK);
        client_state(client, HW_STATE_CLOSING, 0);
        const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
        CHECK_EQUAL(closed->event.by_peer, 0);
        CHECK_EQUAL(closed->event.close_code, cases[i].seen);
        CHECK_STATUS(closed->event.status, HW_OK);
        client_state(client, HW_STATE_DISCONNECTED, 0);
        CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_DISCONNECTED);
        check_seen_close(key, cases[i].seen, cases[i].reason == NULL ? "" : cases[i].reason);
        client_free(client);
    }
}

TEST(close_sends_what_is_queued_first)
{
    client *client = client_connected(server_url("ws", "/echo"));
    for (int i = 0; i < 100; i++) client_send(client, "before the close");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_EQUAL(client_metrics(client).messages_sent, 100);
    client_free(client);
}

TEST(close_by_the_server_is_told_with_code_and_reason)
{
    const char *servers[] = {"ws", "wss", "aiohttp"};
    for (size_t i = 0; i < 3; i++) {
        client *client = client_connected(server_url(servers[i], "/close?code=4321&reason=see%%20you"));
        const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
        CHECK_EQUAL(closed->event.by_peer, 1);
        CHECK_EQUAL(closed->event.close_code, 4321);
        CHECK_TEXT(closed->text, "see you");
        CHECK_STATUS(closed->event.status, HW_E_CLOSED_BY_PEER);
        client_state(client, HW_STATE_RECONNECTING, 0);
        client_event(client, HW_EVENT_OPENED, 1);
        client_free(client);
    }
}

TEST(server_close_codes_that_are_final)
{
    const int codes[] = {1002, 1003, 1007, 1008, 1010};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        client *client = client_new();
        client_open(client, server_url("ws", "/close?code=%d", codes[i]));
        const record *failed = client_state(client, HW_STATE_FAILED, 0);
        CHECK_STATUS(failed->event.status, HW_E_CLOSED_BY_PEER);
        CHECK_EQUAL(failed->event.close_code, codes[i]);
        CHECK_EQUAL(client_event_count(client, HW_EVENT_OPENED), 1);
        client_free(client);
    }
}

TEST(server_close_codes_that_lead_to_reconnection)
{
    const int codes[] = {1000, 1001, 1011, 1012, 1013};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        client *client = client_new();
        /* 1012 and 1013 ask for half a minute. */
        client_set(client, "reconnect.retry_after_max", "10ms");
        client_open(client, server_url("ws", "/close?code=%d", codes[i]));
        client_event(client, HW_EVENT_OPENED, 1);
        client_free(client);
    }
}

TEST(without_reconnection_a_clean_close_disconnects_and_another_fails)
{
    static const struct {
        int code;
        hw_state state;
    } cases[] = {{1000, HW_STATE_DISCONNECTED}, {1001, HW_STATE_DISCONNECTED}, {1011, HW_STATE_FAILED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_set(client, "reconnect.enabled", "false");
        client_open(client, server_url("ws", "/close?code=%d", cases[i].code));
        client_state(client, cases[i].state, 0);
        CHECK_EQUAL(client_event_count(client, HW_EVENT_OPENED), 1);
        client_free(client);
    }
}

TEST(close_without_a_code_is_1005)
{
    client *client = client_connected(server_url("raw", "/close-no-code?key=no-code"));
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.close_code, 1005);
    CHECK_EQUAL(closed->event.by_peer, 1);
    check_seen_close("no-code", 1005, "");
    client_free(client);
}

TEST(unanswered_close_ends_after_close_timeout)
{
    client *client = client_new();
    client_set(client, "close.timeout", "50ms");
    client_open(client, server_url("raw", "/silent"));
    client_state(client, HW_STATE_CONNECTED, 0);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    CHECK_EQUAL(client_event(client, HW_EVENT_CLOSED, 0)->event.close_code, 1006);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    client_free(client);
}

TEST(close_before_the_connection_is_there)
{
    client *client = client_new();
    client_open(client, server_url("raw", "/no-answer"));
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
    client_free(client);
}

TEST(close_while_waiting_for_the_next_attempt)
{
    client *client = client_new();
    client_set(client, "reconnect.base", "1h");
    client_set(client, "reconnect.cap", "1h");
    client_open(client, server_url("refused", "/"));
    client_state(client, HW_STATE_RECONNECTING, 0);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    client_free(client);
}

TEST(close_arguments_are_checked)
{
    char long_reason[125];
    memset(long_reason, 'r', 124);
    long_reason[124] = '\0';
    client *client = client_connected(server_url("ws", "/echo?key=reason"));
    hw_connection *connection = client->connection;
    const uint16_t illegal[] = {1, 999, 1002, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < sizeof illegal / sizeof *illegal; i++)
        CHECK_STATUS(hw_connection_close(connection, illegal[i], NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_close(connection, 0, "a reason without a code"), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_close(connection, 1000, "caf\xC3"), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_close(connection, 1000, long_reason), HW_E_ARGUMENT);
    CHECK_EQUAL(hw_connection_state(connection), HW_STATE_CONNECTED);
    long_reason[123] = '\0';
    CHECK_STATUS(hw_connection_close(connection, 1000, long_reason), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    check_seen_close("reason", 1000, long_reason);
    client_free(client);
}

TEST(release_says_going_away)
{
    client *client = client_connected(server_url("ws", "/echo?key=released"));
    client_free(client);
    struct client *asking = client_connected(server_url("raw", "/seen-close?key=released"));
    CHECK_CONTAINS(client_message(asking, 0)->text, "\"code\": 1001");
    client_free(asking);
}
