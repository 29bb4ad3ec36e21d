/* The opening handshake as HTTP: redirects, credentials, waiting times, and heads that are not to be believed. */
#include "client.h"

#include <stdio.h>
#include <string.h>

/* The URL on a server that redirects with this status to another. */
static const char *redirect_url(const char *from, int code, const char *to)
{
    char encoded[512];
    size_t size = 0;
    for (const char *c = to; *c != '\0' && size + 4 < sizeof encoded; c++) {
        if (strchr("&+#% ?", *c) != NULL)
            size += (size_t)snprintf(encoded + size, 4, "%%%02X", (unsigned)*c);
        else
            encoded[size++] = *c;
    }
    encoded[size] = '\0';
    return server_url(from, "/redirect?code=%d&to=%s", code, encoded);
}

static void add_header(client *client, const char *name, const char *value)
{
    CHECK_STATUS(hw_config_add_header(client->config, name, value, NULL), HW_OK);
}

/* The request's fields as the server at the end of the redirects saw them. */
static const char *fields_seen(client *client, const char *url)
{
    client_open(client, url);
    return client_message(client, 0)->text;
}

static client *redirected_client(void)
{
    client *client = client_new();
    client_set(client, "redirects.max", "5");
    add_header(client, "Authorization", "Bearer c2VjcmV0");
    add_header(client, "Cookie", "session=c2VjcmV0");
    add_header(client, "X-Api-Key", "c2VjcmV0");
    add_header(client, "Origin", "http://app.example");
    return client;
}

TEST(redirects_within_an_origin_keep_every_header)
{
    static const int codes[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        client *client = redirected_client();
        const char *fields = fields_seen(client, redirect_url("aiohttp", codes[i], "./x/../headers?a=1"));
        CHECK_CONTAINS(fields, "Bearer c2VjcmV0");
        CHECK_CONTAINS(fields, "session=c2VjcmV0");
        CHECK_EQUAL(client_event_count(client, HW_EVENT_ATTEMPT_FAILED), 0);
        CHECK_EQUAL(client_metrics(client).attempts_failed, 0);
        client_free(client);
    }
}

TEST(redirects_to_another_origin_carry_no_credentials)
{
    const char *servers[] = {"ws", "wss"};
    for (size_t i = 0; i < 2; i++) {
        client *client = redirected_client();
        const char *fields = fields_seen(client, redirect_url("aiohttp", 302, server_url(servers[i], "/headers")));
        CHECK(strstr(fields, "c2VjcmV0") == NULL);
        CHECK_CONTAINS(fields, "http://app.example");
        client_free(client);
    }
}

TEST(basic_authentication_stays_with_its_origin)
{
    client *client = client_new();
    client_set(client, "redirects.max", "1");
    client_set(client, "basic_auth", "user:hunter2");
    const char *fields = fields_seen(client, redirect_url("aiohttp", 302, server_url("ws", "/headers")));
    CHECK(strstr(fields, "authorization") == NULL);
    client_free(client);
}

TEST(redirects_never_lead_from_wss_to_ws)
{
    client *client = redirected_client();
    client_open(client, redirect_url("wss", 302, server_url("ws", "/headers")));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(failed->event.http_status, 302);
    CHECK_EQUAL(failed->event.retryable, 0);
    CHECK_CONTAINS(failed->text, "not encrypted");
    client_state(client, HW_STATE_FAILED, 0);
    client_free(client);
}

TEST(redirect_loops_end)
{
    client *client = redirected_client();
    client_open(client, redirect_url("aiohttp", 308, server_url("raw", "/redirect-to-self")));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(failed->event.http_status, 301);
    CHECK_EQUAL(failed->event.retryable, 0);
    CHECK_CONTAINS(failed->text, "redirects.max");
    client_state(client, HW_STATE_FAILED, 0);
    client_free(client);
}

TEST(redirects_are_named_where_they_are_not_followed)
{
    client *client = client_new();
    client_open(client, redirect_url("ws", 307, "wss://elsewhere.example/feed"));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(failed->event.http_status, 307);
    CHECK_CONTAINS(failed->text, "'wss://elsewhere.example/feed'");
    CHECK_CONTAINS(failed->text, "redirects.max");
    CHECK_EQUAL(failed->event.retryable, 0);
    client_state(client, HW_STATE_FAILED, 0);
    client_free(client);
}

TEST(reconnections_begin_at_the_configured_url)
{
    client *client = redirected_client();
    client_open(client, redirect_url("aiohttp", 302, server_url("ws", "/drop-once?key=redirected")));
    client_state(client, HW_STATE_CONNECTED, 0);
    client_send(client, "drop me");
    client_state(client, HW_STATE_CONNECTED, 1);
    client_send(client, "hello");
    client_message(client, 0);
    client_free(client);
}

TEST(credentials_go_into_the_authorization_header)
{
    char url[256];
    snprintf(url, sizeof url, "ws://user:p%%40ss@127.0.0.1:%s/headers", server_fact("aiohttp"));
    client *client = client_new();
    CHECK_CONTAINS(fields_seen(client, url), "\"authorization\": \"Basic dXNlcjpwQHNz\"");
    client_free(client);

    client = client_new();
    client_set(client, "basic_auth", "user:p@ss");
    CHECK_CONTAINS(fields_seen(client, server_url("wss", "/headers")), "\"authorization\": \"Basic dXNlcjpwQHNz\"");
    client_free(client);
}

TEST(credentials_from_two_places_are_a_conflict)
{
    client *client = client_new();
    hw_error error = NEW_ERROR;
    client_set(client, "basic_auth", "user:hunter2");
    CHECK_STATUS(hw_connection_open(client->config, "ws://user:hunter2@h/", &client->connection, &error), HW_E_CONFLICT);
    CHECK(strstr(error.message, "hunter2") == NULL);
    add_header(client, "Authorization", "Bearer x");
    CHECK_STATUS(hw_connection_open(client->config, "ws://h/", &client->connection, &error), HW_E_CONFLICT);
    CHECK(client->connection == NULL);
    client_free(client);
}

TEST(no_event_shows_credentials)
{
    client *client = client_new();
    client_set(client, "reconnect.attempts_max", "1");
    char url[256];
    snprintf(url, sizeof url, "ws://user:hunter2@127.0.0.1:%s/", server_fact("refused"));
    client_open(client, url);
    CHECK(strstr(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->text, "hunter2") == NULL);
    CHECK(strstr(client_state(client, HW_STATE_FAILED, 0)->text, "hunter2") == NULL);
    client_free(client);
}

TEST(retry_after_is_told)
{
    static const struct {
        const char *value;
        uint64_t least_ms, most_ms;
    } cases[] = {
        {"120", 120000, 120000},
        {"Fri,%2031%20Dec%209999%2023:59:59%20GMT", 200ull * 365 * 86400 * 1000, UINT64_MAX},
        {"Sun,%2006%20Nov%201994%2008:49:37%20GMT", 0, 0},
        {"soon", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_open(client, server_url("ws", "/status?code=503&retry_after=%s", cases[i].value));
        const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
        CHECK_EQUAL(failed->event.http_status, 503);
        CHECK(failed->event.retry_after_ms >= cases[i].least_ms);
        CHECK(failed->event.retry_after_ms <= cases[i].most_ms);
        if (i == 0) CHECK_CONTAINS(failed->text, "asks to wait 120 s");
        client_free(client);
    }
}

TEST(odd_heads_are_refused_for_good)
{
    static const char *lines[] = {
        "X: a\r\n folded", "X : y", "X: a\nb", "X: a\rb", ": no name", "no colon", "X: \x1b[2J", "Sec-WebSocket-Accept: again",
        "Upgrade: h2c", "Sec-WebSocket-Extensions: permessage-unasked", "Sec-WebSocket-Protocol: unasked", "X\xff: y",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char hex[128] = "";
        for (size_t j = 0; lines[i][j] != '\0'; j++) snprintf(hex + 2 * j, 3, "%02x", (unsigned char)lines[i][j]);
        client *client = client_new();
        client_open(client, server_url("raw", "/odd-head?lines=%s", hex));
        CHECK_STATUS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.status, HW_E_HANDSHAKE);
        CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_HANDSHAKE);
        client_free(client);
    }
}

TEST(heads_are_limited_in_size)
{
    client *client = client_new();
    client_open(client, server_url("raw", "/huge-head"));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_HANDSHAKE);
    CHECK_CONTAINS(failed->text, "65536 bytes");
    CHECK_CONTAINS(failed->text, "handshake.bytes_max");
    client_free(client);
}

TEST(messages_behind_the_head_are_delivered_after_a_redirect)
{
    client *client = redirected_client();
    client_open(client, redirect_url("aiohttp", 302, server_url("raw", "/two-in-one")));
    CHECK_TEXT(client_message(client, 0)->text, "first");
    client_free(client);
}
