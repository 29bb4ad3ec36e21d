/* What is asked before each attempt: its answers, and what becomes of an attempt without one. */
#include "client.h"

#include <stdio.h>
#include <string.h>

#define NEW_ATTEMPT ((hw_attempt){.struct_size = sizeof(hw_attempt)})

/* A client that is asked, by events like any other. */
static client *asked_client(void)
{
    client *client = client_new();
    CHECK_STATUS(hw_config_before_connect(client->config, NULL, NULL), HW_OK);
    return client;
}

/* Answers with one header field. */
static hw_status proceed_with(client *client, const record *due, const char *name, const char *value, const char *url)
{
    hw_attempt attempt = NEW_ATTEMPT;
    attempt.url = url;
    attempt.header_count = 1;
    attempt.header_names = &name;
    attempt.header_values = &value;
    return hw_connection_proceed(client->connection, due->event.attempt_id, &attempt, NULL);
}

typedef struct {
    int asked;
    char url[512]; /* of the second attempt and later */
} tokens;

static void give_token(hw_connection *connection, const hw_event *event, void *context)
{
    tokens *tokens = context;
    char token[32];
    const char *name = "Authorization", *value = token;
    CHECK_EQUAL(event->kind, HW_EVENT_CONNECT_DUE);
    CHECK_EQUAL(event->delay_ms, 10000);
    snprintf(token, sizeof token, "Bearer token-%d", ++tokens->asked);
    hw_attempt attempt = NEW_ATTEMPT;
    attempt.url = tokens->asked > 1 ? tokens->url : NULL;
    attempt.header_count = 1;
    attempt.header_names = &name;
    attempt.header_values = &value;
    CHECK_STATUS(hw_connection_proceed(connection, event->attempt_id, &attempt, NULL), HW_OK);
    CHECK_STATUS(hw_connection_proceed(connection, event->attempt_id, &attempt, NULL), HW_E_STATE);
}

TEST(each_attempt_goes_by_a_fresh_token_and_url)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t i = 0; i < 2; i++) {
        tokens tokens = {0};
        snprintf(tokens.url, sizeof tokens.url, "%s", server_url("wss", "/headers"));
        client *client = client_new();
        client_set(client, "delivery", deliveries[i]);
        CHECK_STATUS(hw_config_add_header(client->config, "authorization", "Bearer stale", NULL), HW_OK);
        CHECK_STATUS(hw_config_add_header(client->config, "X-Kept", "kept", NULL), HW_OK);
        CHECK_STATUS(hw_config_before_connect(client->config, give_token, &tokens), HW_OK);
        client_open(client, server_url("ws", "/close?code=4321"));
        const char *fields = client_message(client, 0)->text;
        CHECK_CONTAINS(fields, "\"authorization\": \"Bearer token-2\"");
        CHECK_CONTAINS(fields, "\"x-kept\": \"kept\"");
        CHECK_EQUAL(client_event_count(client, HW_EVENT_CONNECT_DUE), 0);
        client_free(client);
        CHECK_EQUAL(tokens.asked, 2);
    }
}

TEST(the_answer_may_come_later_from_another_thread)
{
    client *client = asked_client();
    client_open(client, server_url("ws", "/headers"));
    const record *due = client_event(client, HW_EVENT_CONNECT_DUE, 0);
    CHECK_EQUAL(due->event.attempt, 1);
    CHECK_EQUAL(due->event.delay_ms, 10000);
    CHECK_TEXT(due->text, server_url("ws", "/headers"));
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTING);
    CHECK_STATUS(proceed_with(client, due, "X-Late", "yes", NULL), HW_OK);
    CHECK_CONTAINS(client_message(client, 0)->text, "\"x-late\": \"yes\"");
    CHECK_STATUS(proceed_with(client, due, "X-Late", "yes", NULL), HW_E_STATE);
    client_free(client);
}

TEST(without_an_answer_the_attempt_fails_and_the_next_asks_anew)
{
    client *client = asked_client();
    client_set(client, "before_connect.timeout", "20ms");
    client_open(client, server_url("ws", "/echo"));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_BEFORE_CONNECT);
    CHECK_EQUAL(failed->event.retryable, 1);
    CHECK_CONTAINS(failed->text, "before_connect.timeout");
    const record *first = client_event(client, HW_EVENT_CONNECT_DUE, 0), *second = client_event(client, HW_EVENT_CONNECT_DUE, 1);
    CHECK(second->event.attempt_id > first->event.attempt_id);
    CHECK_EQUAL(second->event.attempt, 2);
    CHECK_STATUS(hw_connection_proceed(client->connection, first->event.attempt_id, NULL, NULL), HW_E_STATE);
    /* One of the answers is in time. */
    for (size_t i = 1; hw_connection_state(client->connection) != HW_STATE_CONNECTED; i++)
        if (hw_connection_proceed(client->connection, client_event(client, HW_EVENT_CONNECT_DUE, i)->event.attempt_id, NULL, NULL) == HW_OK)
            hw_connection_wait(client->connection, HW_STATE_CONNECTED, 1000, NULL);
    client_free(client);
}

TEST(a_refusal_is_a_failed_attempt_with_its_text)
{
    client *client = asked_client();
    client_set(client, "reconnect.attempts_max", "1");
    client_open(client, server_url("ws", "/echo"));
    hw_attempt attempt = NEW_ATTEMPT;
    attempt.failure = "the vault is closed";
    uint64_t id = client_event(client, HW_EVENT_CONNECT_DUE, 0)->event.attempt_id;
    CHECK_STATUS(hw_connection_proceed(client->connection, id, &attempt, NULL), HW_OK);
    const record *failed = client_state(client, HW_STATE_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_BEFORE_CONNECT);
    CHECK_TEXT(failed->text, "the vault is closed");
    CHECK_STATUS(hw_connection_proceed(client->connection, id, NULL, NULL), HW_E_STATE);
    client_free(client);
}

TEST(ids_that_nobody_was_asked_about_are_refused)
{
    client *client = asked_client();
    client_open(client, server_url("ws", "/echo"));
    uint64_t id = client_event(client, HW_EVENT_CONNECT_DUE, 0)->event.attempt_id;
    const uint64_t wrong[] = {0, id + 1, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) CHECK_STATUS(hw_connection_proceed(client->connection, wrong[i], NULL, NULL), HW_E_STATE);
    CHECK_STATUS(hw_connection_proceed(NULL, id, NULL, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_STATUS(hw_connection_proceed(client->connection, id, NULL, NULL), HW_E_STATE);
    client_free(client);
}

TEST(a_mistaken_answer_leaves_the_attempt_waiting)
{
    client *client = asked_client();
    client_open(client, server_url("ws", "/headers"));
    const record *due = client_event(client, HW_EVENT_CONNECT_DUE, 0);
    hw_connection *connection = client->connection;
    uint64_t id = due->event.attempt_id;
    hw_attempt attempt = {.struct_size = 8};
    CHECK_STATUS(hw_connection_proceed(connection, id, &attempt, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(proceed_with(client, due, "X", "yes", "http://example.com/"), HW_E_URL);
    CHECK_STATUS(proceed_with(client, due, "Host", "example.com", NULL), HW_E_HEADER);
    CHECK_STATUS(proceed_with(client, due, "X", "two\r\nlines", NULL), HW_E_HEADER);
    CHECK_STATUS(proceed_with(client, due, NULL, "yes", NULL), HW_E_ARGUMENT);
    CHECK_STATUS(proceed_with(client, due, "X", NULL, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(proceed_with(client, due, "Authorization", "Bearer t", "ws://user:secret@localhost/"), HW_E_CONFLICT);
    attempt = NEW_ATTEMPT;
    attempt.header_count = 1;
    CHECK_STATUS(hw_connection_proceed(connection, id, &attempt, NULL), HW_E_ARGUMENT);
    const char *names[65];
    for (size_t i = 0; i < 65; i++) names[i] = "X";
    attempt = (hw_attempt){.struct_size = sizeof attempt, .header_count = 65, .header_names = names, .header_values = names};
    CHECK_STATUS(hw_connection_proceed(connection, id, &attempt, NULL), HW_E_TOO_LARGE);
    attempt.header_count = 64;
    CHECK_STATUS(hw_connection_proceed(connection, id, &attempt, NULL), HW_OK);
    CHECK_CONTAINS(client_message(client, 0)->text, "\"x\": \"X, X, ");
    client_free(client);
}

TEST(what_tls_needs_is_looked_for_with_the_first_wss_url)
{
    client *client = asked_client();
    client_set(client, "tls.ca_file", "/nowhere/ca.pem");
    client_open(client, server_url("ws", "/headers"));
    const record *due = client_event(client, HW_EVENT_CONNECT_DUE, 0);
    CHECK_STATUS(proceed_with(client, due, "X", "yes", server_url("wss", "/headers")), HW_E_TRUST_STORE);
    CHECK_STATUS(proceed_with(client, due, "X", "yes", NULL), HW_OK);
    CHECK_CONTAINS(client_message(client, 0)->text, "\"x\": \"yes\"");
    client_free(client);
}

TEST(an_answer_that_authorizes_replaces_what_is_configured)
{
    static const struct {
        const char *authorization, *user, *seen;
    } cases[] = {
        {NULL, "", "Basic b2xkOnVzZXI="},
        {"Bearer new", "", "Bearer new"},
        {NULL, "new:user@", "Basic bmV3OnVzZXI="},
    };
    for (size_t i = 0; i < 3; i++) {
        char configured[128], url[128], seen[64];
        client *client = asked_client();
        if (*cases[i].user == '\0') client_set(client, "basic_auth", "old:user");
        snprintf(configured, sizeof configured, "ws://%slocalhost:%s/headers", *cases[i].user ? "old:user@" : "", server_fact("ws"));
        snprintf(url, sizeof url, "ws://%slocalhost:%s/headers", cases[i].user, server_fact("ws"));
        client_open(client, configured);
        const record *due = client_event(client, HW_EVENT_CONNECT_DUE, 0);
        CHECK(strstr(due->text, "old") == NULL);
        if (cases[i].authorization != NULL) {
            CHECK_STATUS(proceed_with(client, due, "AUTHORIZATION", cases[i].authorization, url), HW_OK);
        } else {
            CHECK_STATUS(proceed_with(client, due, "X", "yes", url), HW_OK);
        }
        snprintf(seen, sizeof seen, "\"authorization\": \"%s\"", cases[i].seen);
        CHECK_CONTAINS(client_message(client, 0)->text, seen);
        client_free(client);
    }
}

TEST(closing_or_releasing_needs_no_answer)
{
    client *closed = asked_client(), *released = asked_client();
    client_open(closed, server_url("ws", "/echo"));
    client_open(released, server_url("ws", "/echo"));
    client_event(closed, HW_EVENT_CONNECT_DUE, 0);
    uint64_t id = client_event(released, HW_EVENT_CONNECT_DUE, 0)->event.attempt_id;
    CHECK_STATUS(hw_connection_close(closed->connection, 1000, NULL), HW_OK);
    client_state(closed, HW_STATE_DISCONNECTED, 0);
    hw_connection *stale = released->connection;
    client_free(closed);
    client_free(released);
    CHECK_STATUS(hw_connection_proceed(stale, id, NULL, NULL), HW_E_HANDLE);
}

TEST(hosts_of_an_inbox_take_the_question_from_it)
{
    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, NULL), HW_OK);
    CHECK_STATUS(hw_config_before_connect(config, give_token, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_E_CONFLICT);
    CHECK_STATUS(hw_config_before_connect(config, NULL, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_OK);
    for (int is_open = 0; !is_open;) {
        hw_delivery delivery;
        size_t count;
        CHECK_STATUS(hw_inbox_take(inbox, &delivery, 1, &count, PATIENCE_MS), HW_OK);
        CHECK(delivery.event != NULL);
        if (delivery.event->kind == HW_EVENT_CONNECT_DUE)
            CHECK_STATUS(hw_connection_proceed(delivery.connection, delivery.event->attempt_id, NULL, NULL), HW_OK);
        is_open = delivery.event->kind == HW_EVENT_OPENED;
    }
    hw_connection_release(connection);
    hw_inbox_release(inbox);
    hw_config_free(config);
}

TEST(somebody_has_to_be_asked)
{
    hw_config *config = NULL;
    hw_connection *connection = NULL;
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_before_connect(config, NULL, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, &error), HW_E_CONFLICT);
    CHECK_CONTAINS(error.message, "hw_config_before_connect");
    hw_config_free(config);
    CHECK_STATUS(hw_config_before_connect(config, NULL, NULL), HW_E_HANDLE);
}
