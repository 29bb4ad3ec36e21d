/* Attempts that fail and servers that misbehave: each gives its status, and text that helps. */
#include "client.h"

#include <stdio.h>
#include <string.h>

/* Opens the URL and returns the first HW_EVENT_ATTEMPT_FAILED after checking its status. */
static const record *failed_attempt(client *client, const char *url, hw_status status)
{
    client_open(client, url);
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, status);
    CHECK_EQUAL(failed->event.attempt, 1);
    CHECK_EQUAL(failed->event.epoch, 0);
    CHECK(failed->event.text_size > 0);
    return failed;
}

/* The attempt fails for good: the state is failed, with the same reason, and nothing more is tried. */
static void check_given_up(client *client, hw_status status)
{
    const record *state = client_state(client, HW_STATE_FAILED, 0);
    CHECK_STATUS(state->event.status, status);
    CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.retryable, 0);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ATTEMPT_FAILED), 1);
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_FAILED);
}

/* A second attempt follows. */
static void check_retried(client *client)
{
    CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.retryable, 1);
    client_state(client, HW_STATE_RECONNECTING, 0);
    CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 1)->event.attempt, 2);
}

TEST(http_refusal_gives_status_and_body)
{
    static const struct {
        const char *server;
        int code, retried;
    } cases[] = {
        {"ws", 503, 1},      {"ws", 429, 1}, {"aiohttp", 502, 1}, {"ws", 200, 0},
        {"aiohttp", 301, 0}, {"ws", 401, 0}, {"aiohttp", 403, 0}, {"wss", 404, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_set(client, "reconnect.retry_after_max", "0");
        const char *url = server_url(cases[i].server, "/status?code=%d", cases[i].code);
        const record *failed = failed_attempt(client, url, HW_E_HTTP_STATUS);
        char number[16], body[64];
        snprintf(number, sizeof number, "%d", cases[i].code);
        snprintf(body, sizeof body, "refused with %d\n", cases[i].code);
        CHECK_EQUAL(failed->event.http_status, cases[i].code);
        CHECK_EQUAL(failed->event.layer, HW_LAYER_HTTP);
        CHECK_CONTAINS(failed->text, number);
        CHECK_TEXT((const char *)failed->event.body, body);
        if (cases[i].retried)
            check_retried(client);
        else
            check_given_up(client, HW_E_HTTP_STATUS);
        client_free(client);
    }
}

TEST(wrong_accept_key_is_refused_for_good)
{
    client *client = client_new();
    failed_attempt(client, server_url("raw", "/wrong-accept"), HW_E_HANDSHAKE);
    check_given_up(client, HW_E_HANDSHAKE);
    client_free(client);
}

TEST(switching_protocols_over_http_1_0_is_refused_for_good)
{
    client *client = client_new();
    failed_attempt(client, server_url("raw", "/http-1.0"), HW_E_HANDSHAKE);
    check_given_up(client, HW_E_HANDSHAKE);
    client_free(client);
}

/* The resolver takes them for addresses, certificates do not. */
TEST(shorthand_addresses_do_not_pass_verification)
{
    const char *hosts[] = {"127.1", "2130706433", "0x7f.0.0.1", "017700000001", "127.0.0.01"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        client *client = client_new();
        char url[128];
        snprintf(url, sizeof url, "wss://%s:%s/echo", hosts[i], server_fact("wss"));
        failed_attempt(client, url, HW_E_CERTIFICATE);
        check_given_up(client, HW_E_CERTIFICATE);
        client_free(client);
    }
}

TEST(bad_certificates_are_refused_for_good)
{
    const char *servers[] = {"wss_expired", "wss_wrong_host"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        const record *failed = failed_attempt(client, server_url(servers[i], "/echo"), HW_E_CERTIFICATE);
        CHECK_EQUAL(failed->event.layer, HW_LAYER_TLS);
        CHECK(failed->event.native_code != 0);
        CHECK_CONTAINS(failed->text, "localhost");
        check_given_up(client, HW_E_CERTIFICATE);
        client_free(client);
    }
}

TEST(unknown_authority_is_refused_for_good)
{
    client *client = client_new();
    client_set(client, "tls.ca_file", "");
    hw_error error = NEW_ERROR;
    hw_status opened = hw_connection_open(client->config, server_url("wss", "/echo"), &client->connection, &error);
    /* A machine without any CA certificates says so at once. */
    if (opened == HW_E_TRUST_STORE) {
        client->connection = NULL;
    } else {
        CHECK_STATUS(opened, HW_OK);
        CHECK_STATUS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.status, HW_E_CERTIFICATE);
        check_given_up(client, HW_E_CERTIFICATE);
    }
    client_free(client);
}

TEST(missing_ca_file_is_told_at_open)
{
    client *client = client_new();
    client_set(client, "tls.ca_file", "/nonexistent/ca.pem");
    hw_error error = NEW_ERROR;
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_connection_open(client->config, server_url("wss", "/echo"), &connection, &error), HW_E_TRUST_STORE);
    CHECK_EQUAL(error.status, HW_E_TRUST_STORE);
    CHECK_CONTAINS(error.message, "/nonexistent/ca.pem");
    CHECK(connection == NULL);
    client_free(client);
}

TEST(server_without_tls_is_a_tls_error)
{
    client *client = client_new();
    char url[128];
    snprintf(url, sizeof url, "wss://localhost:%s/echo", server_fact("ws"));
    const record *failed = failed_attempt(client, url, HW_E_TLS);
    CHECK_EQUAL(failed->event.layer, HW_LAYER_TLS);
    client_free(client);
}

TEST(refused_port_is_tried_again)
{
    client *client = client_new();
    const record *failed = failed_attempt(client, server_url("refused", "/"), HW_E_CONNECT);
    CHECK_EQUAL(failed->event.layer, HW_LAYER_TCP);
    CHECK(failed->event.native_code != 0);
    check_retried(client);
    client_free(client);
}

TEST(attempts_end_at_attempts_max)
{
    client *client = client_new();
    client_set(client, "reconnect.attempts_max", "3");
    client_open(client, server_url("refused", "/"));
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_CONNECT);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ATTEMPT_FAILED), 3);
    for (size_t i = 0; i < 3; i++) {
        const hw_event *failed = &client_event(client, HW_EVENT_ATTEMPT_FAILED, i)->event;
        CHECK_EQUAL(failed->retryable, 1);
        CHECK_EQUAL(failed->delay_ms > 0, i < 2);
    }
    client_free(client);
}

TEST(unknown_host_is_a_resolver_error)
{
    client *client = client_new();
    const record *failed = failed_attempt(client, "ws://name.invalid/", HW_E_RESOLVE);
    CHECK_EQUAL(failed->event.layer, HW_LAYER_RESOLVER);
    CHECK(failed->event.native_code != 0);
    CHECK_CONTAINS(failed->text, "name.invalid");
    CHECK_EQUAL(failed->event.retryable, 1);
    client_free(client);
}

TEST(stalled_handshake_runs_into_connect_timeout)
{
    const char *paths[] = {"/half-head", "/no-answer"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        client_set(client, "connect.timeout", "300ms");
        failed_attempt(client, server_url("raw", "%s", paths[i]), HW_E_CONNECT_TIMEOUT);
        check_retried(client);
        client_free(client);
    }
}

TEST(protocol_violations_are_answered_with_their_code)
{
    static const struct {
        const char *path;
        hw_status status;
        int code;
    } cases[] = {
        {"/garbage?", HW_E_PROTOCOL, 1002},          {"/masked?", HW_E_PROTOCOL, 1002},
        {"/close-1-byte?", HW_E_PROTOCOL, 1002},     {"/bad-utf8?", HW_E_UTF8, 1007},
        {"/oversize?size=5000000&", HW_E_MESSAGE_TOO_LARGE, 1009},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_set(client, "message.bytes_max", "64KiB");
        char key[32];
        snprintf(key, sizeof key, "violation-%zu", i);
        client_open(client, server_url("raw", "%skey=%s", cases[i].path, key));
        const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
        CHECK_STATUS(closed->event.status, cases[i].status);
        CHECK_EQUAL(closed->event.close_code, cases[i].code);
        CHECK_EQUAL(closed->event.by_peer, 0);
        CHECK_EQUAL(closed->event.epoch, 1);
        CHECK_EQUAL(client_message_count(client), 0);

        char seen[32];
        snprintf(seen, sizeof seen, "\"code\": %d", cases[i].code);
        struct client *asking = client_connected(server_url("raw", "/seen-close?key=%s", key));
        CHECK_CONTAINS(client_message(asking, 0)->text, seen);
        client_free(asking);
        client_free(client);
    }
}

TEST(largest_allowed_message_is_received)
{
    client *client = client_new();
    client_set(client, "message.bytes_max", "5000");
    client_open(client, server_url("raw", "/oversize?size=5000"));
    CHECK_EQUAL(client_message(client, 0)->message.size, 5000);
    client_free(client);
}
