/* What ends a connection for good and what does not, when the next attempt comes, and what is told of the time between. */
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opens the URL with one property set, and returns the first HW_EVENT_ATTEMPT_FAILED. */
static const hw_event *first_failure(client *client, const char *name, const char *value, const char *url)
{
    client_set(client, name, value);
    client_open(client, url);
    return &client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event;
}

/* ---- Final and other codes ---------------------------------------------------------------------------------------------------- */

TEST(http_statuses_are_final_or_not_as_asked_for)
{
    static const struct {
        const char *name, *value;
        int code, is_final;
    } cases[] = {
        {"reconnect.retry_codes", "403, 401", 403, 0}, {"reconnect.retry_codes", "403,401", 404, 1},
        {"reconnect.final_codes", "500,502", 502, 1},  {"reconnect.final_codes", "500,502", 503, 0},
        {"reconnect.final_codes", "503", 503, 1},      {"reconnect.retry_codes", "302", 302, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_set(client, "reconnect.retry_after_max", "0");
        const hw_event *failed = first_failure(client, cases[i].name, cases[i].value, server_url("ws", "/status?code=%d", cases[i].code));
        CHECK_STATUS(failed->status, HW_E_HTTP_STATUS);
        CHECK_EQUAL(failed->http_status, cases[i].code);
        if (cases[i].is_final) {
            CHECK_EQUAL(failed->delay_ms, 0);
            const hw_event *state = &client_state(client, HW_STATE_FAILED, 0)->event;
            CHECK_EQUAL(state->http_status, cases[i].code);
            CHECK_EQUAL(client_metrics(client).attempts, 1);
        } else {
            CHECK(failed->delay_ms > 0);
            CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 1)->event.attempt, 2);
        }
        client_free(client);
    }
}

TEST(close_codes_are_final_or_not_as_asked_for)
{
    static const struct {
        const char *name, *value;
        int code, is_final;
    } cases[] = {
        {"reconnect.final_codes", "", 1002, 1},     {"reconnect.final_codes", "", 1003, 1},     {"reconnect.final_codes", "", 1007, 1},
        {"reconnect.final_codes", "", 1008, 1},     {"reconnect.final_codes", "", 1010, 1},     {"reconnect.final_codes", "", 1000, 0},
        {"reconnect.final_codes", "", 1011, 0},     {"reconnect.final_codes", "", 4001, 0},     {"reconnect.final_codes", "4001", 4002, 0},
        {"reconnect.final_codes", "1000", 1000, 1}, {"reconnect.retry_codes", "1008", 1008, 0}, {"reconnect.retry_codes", "1008", 1002, 1},
        {"reconnect.final_codes", "4001, 4002", 4002, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        client_set(client, cases[i].name, cases[i].value);
        client_open(client, server_url("ws", "/close?code=%d&reason=why", cases[i].code));
        const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
        CHECK_EQUAL(closed->event.close_code, cases[i].code);
        CHECK_EQUAL(closed->event.by_peer, 1);
        CHECK_TEXT(closed->text, "why");
        if (cases[i].is_final) {
            const record *state = client_state(client, HW_STATE_FAILED, 0);
            CHECK_STATUS(state->event.status, HW_E_CLOSED_BY_PEER);
            CHECK_EQUAL(state->event.close_code, cases[i].code);
            CHECK_CONTAINS(state->text, "why");
            CHECK_EQUAL(client_metrics(client).attempts, 1);
        } else {
            client_event(client, HW_EVENT_OPENED, 1);
        }
        client_free(client);
    }
}

/* 1006 stands for connections that end without a close frame. */
TEST(a_lost_connection_is_final_if_asked_for)
{
    client *client = client_new();
    client_set(client, "reconnect.final_codes", "1006");
    client_open(client, server_url("ws", "/abort"));
    client_send(client, "now");
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_CONNECTION_LOST);
    client_free(client);
}

/* ---- Retry-After -------------------------------------------------------------------------------------------------------------- */

TEST(what_the_server_asks_for_is_heeded_within_bounds)
{
    static const struct {
        const char *retry_after_max, *query;
        unsigned asked_ms, least_ms, most_ms;
    } cases[] = {
        {"24h", "code=503&retry_after=3600", 3600000, 3600000, 4500000},
        {"24h", "code=429&retry_after=120", 120000, 120000, 150000},
        {"24h", "code=500&retry_after=120", 120000, 120000, 150000},
        {"10m", "code=503&retry_after=3600", 3600000, 600000, 750000},
        {"0", "code=503&retry_after=3600", 3600000, 1, 100},
        {"24h", "code=503&retry_after=Fri,%2031%20Dec%201999%2023:59:59%20GMT", 0, 1, 30000},
        {"24h", "code=503", 0, 5000, 30000},
        {"24h", "code=429", 0, 5000, 30000},
        {"2s", "code=429", 0, 1000, 2000},
        {"0", "code=429", 0, 1, 100},
        {"24h", "code=500", 0, 1, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        const char *url = server_url("ws", "/status?%s", cases[i].query);
        const hw_event *failed = first_failure(client, "reconnect.retry_after_max", cases[i].retry_after_max, url);
        CHECK_EQUAL(failed->retry_after_ms, cases[i].asked_ms);
        if (failed->delay_ms < cases[i].least_ms || failed->delay_ms > cases[i].most_ms)
            FAIL("%s within %s gives a delay of %llu ms", cases[i].query, cases[i].retry_after_max, (unsigned long long)failed->delay_ms);
        client_free(client);
    }
}

TEST(delays_grow_as_configured)
{
    client *client = client_new();
    client_set(client, "reconnect.base", "2ms");
    client_set(client, "reconnect.factor_percent", "300");
    client_set(client, "reconnect.cap", "50ms");
    client_set(client, "reconnect.jitter", "none");
    client_set(client, "reconnect.attempts_max", "7");
    client_open(client, server_url("refused", "/"));
    const unsigned delays_ms[] = {2, 6, 18, 50, 50, 50, 0};
    for (size_t i = 0; i < 7; i++) CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, i)->event.delay_ms, delays_ms[i]);
    client_state(client, HW_STATE_FAILED, 0);
    client_free(client);
}

/* ---- Gaps --------------------------------------------------------------------------------------------------------------------- */

static const hw_event *gap_of(client *client, size_t number)
{
    const hw_event *gap = &client_event(client, HW_EVENT_GAP, number)->event;
    CHECK_EQUAL(gap->epoch, number + 2);
    CHECK_EQUAL(gap->began_ns + gap->latency_ns, gap->time_ns);
    CHECK_EQUAL(gap->state, HW_STATE_CONNECTED);
    return gap;
}

TEST(without_beats_all_that_was_sent_is_in_doubt)
{
    group group = group_new("life-gap");
    client *client = client_new();
    client_set(client, "ping.interval", "0");
    client_connect(client, group_url(&group, "raw", ""));
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 0);
    group_ask(&group, "text 1 hello");
    const record *message = client_message(client, 0);
    for (int i = 0; i < 3; i++) client_send(client, "mine");
    group_await_seen(&group, "1 mine\n1 mine\n1 mine");
    group_ask(&group, "drop 1");
    client_event(client, HW_EVENT_CLOSED, 0);
    const hw_event *gap = gap_of(client, 0);
    CHECK_EQUAL(gap->count, 3);
    CHECK_EQUAL(gap->last_message_ns, message->message.received_ns);
    /* That message's bytes were the last. */
    CHECK_EQUAL(gap->began_ns, message->message.received_ns);
    CHECK(gap->time_ns >= client_event(client, HW_EVENT_OPENED, 1)->event.time_ns);

    /* The next connection brings nothing: the last message is still that one. */
    group_ask(&group, "drop 2");
    const hw_event *second = gap_of(client, 1);
    CHECK_EQUAL(second->count, 0);
    CHECK_EQUAL(second->last_message_ns, message->message.received_ns);
    CHECK_EQUAL(second->began_ns, client_event(client, HW_EVENT_OPENED, 1)->event.time_ns);
    client_free(client);
    group_free(&group);
}

/* Waits until a ping that was sent from now on has been acknowledged. */
static void await_beat(client *client)
{
    uint64_t sent = client_metrics(client).beats_sent;
    AWAIT(client_health(client).beats_acked > sent);
}

TEST(what_the_server_acknowledged_is_not_in_doubt)
{
    group group = group_new("life-gap-acked");
    client *client = client_new();
    client_set(client, "ping.interval", "20ms");
    client_set(client, "ping.timeout", "10s");
    client_connect(client, group_url(&group, "raw", ""));
    for (int i = 0; i < 3; i++) client_send(client, "sure");
    await_beat(client);
    group_ask(&group, "mute 1");
    for (int i = 0; i < 2; i++) client_send(client, "in doubt");
    group_await_seen(&group, "1 sure\n1 sure\n1 sure\n1 in doubt\n1 in doubt");
    group_ask(&group, "drop 1");
    CHECK_EQUAL(gap_of(client, 0)->count, 2);
    CHECK_EQUAL(gap_of(client, 0)->last_message_ns, 0);
    /* Nothing in doubt was sent again. */
    client_send(client, "again");
    group_await_seen(&group, "1 sure\n1 sure\n1 sure\n1 in doubt\n1 in doubt\n2 again");
    client_free(client);
    group_free(&group);
}

TEST(a_gap_ends_with_the_opening_script)
{
    static const char step[] = "{\"expect\": {\"prefix\": \"go\"}, \"fail\": {\"prefix\": \"no\"}, \"timeout\": \"1h\"}";
    group group = group_new("life-gap-script");
    client *client = client_new();
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_config_add_step(client->config, step, strlen(step), &error), HW_OK);
    client_set(client, "ping.interval", "0");
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    group_ask(&group, "text 1 go");
    client_state(client, HW_STATE_CONNECTED, 0);
    group_ask(&group, "drop 1");
    /* An attempt in between that fails does not make it two. */
    client_event(client, HW_EVENT_OPENED, 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 0);
    group_ask(&group, "text 2 no");
    client_event(client, HW_EVENT_OPENED, 2);
    group_ask(&group, "text 3 go");
    const hw_event *gap = &client_event(client, HW_EVENT_GAP, 0)->event;
    CHECK_EQUAL(gap->epoch, 3);
    /* What the failed attempt brought came within the gap. */
    CHECK_EQUAL(gap->last_message_ns, client_message(client, 0)->message.received_ns);
    CHECK_EQUAL(gap->began_ns, client_message(client, 0)->message.received_ns);
    client_free(client);
    group_free(&group);
}

/* ---- The host's circuit and budget -------------------------------------------------------------------------------------------- */

enum { CLIENTS = 4 };

/* Each change of the circuit begins where the one before ended. */
static void check_circuit(client *client, size_t count)
{
    hw_circuit before = HW_CIRCUIT_CLOSED;
    for (size_t i = 0; i < count; i++) {
        const hw_event *change = &client_event(client, HW_EVENT_CIRCUIT, i)->event;
        CHECK_EQUAL(change->previous_level, before);
        CHECK(change->level != before);
        CHECK(change->level == HW_CIRCUIT_OPEN || change->delay_ms == 0);
        before = change->level;
    }
}

TEST(an_open_circuit_holds_all_connections_back)
{
    enum { FAILURES = 3 };
    client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new();
        client_set(clients[i], "circuit.failures_max", "3");
        client_set(clients[i], "circuit.window", "1h");
        client_set(clients[i], "circuit.open_for", "1h");
        client_open(clients[i], server_url("refused", "/"));
    }
    char host[32];
    snprintf(host, sizeof host, "localhost:%s", server_fact("refused"));
    uint64_t attempts = 0;
    for (int i = 0; i < CLIENTS; i++) {
        const record *opened = client_event(clients[i], HW_EVENT_CIRCUIT, 0);
        CHECK_EQUAL(opened->event.previous_level, HW_CIRCUIT_CLOSED);
        CHECK_EQUAL(opened->event.level, HW_CIRCUIT_OPEN);
        CHECK(opened->event.delay_ms > 0 && opened->event.delay_ms <= 3600000);
        CHECK_TEXT(opened->text, host);
        const hw_event *held = &client_event(clients[i], HW_EVENT_ATTEMPT_HELD, 0)->event;
        CHECK_EQUAL(held->level, 1);
        CHECK(held->delay_ms > 3000000 && held->delay_ms <= 2 * 3600000);
        attempts += client_metrics(clients[i]).attempts;
    }
    /* Those that were under way when the third failed go on to their end. */
    CHECK(attempts >= FAILURES && attempts < FAILURES + CLIENTS);
    /* A connection that comes later finds it open, and one without a limit does not care. */
    client *late = client_new(), *careless = client_new();
    client_set(late, "circuit.open_for", "1h");
    client_open(late, server_url("refused", "/"));
    client_event(late, HW_EVENT_CIRCUIT, 0);
    client_event(late, HW_EVENT_ATTEMPT_HELD, 0);
    CHECK_EQUAL(client_metrics(late).attempts, 0);
    CHECK_EQUAL(hw_connection_state(late->connection), HW_STATE_CONNECTING);
    CHECK_STATUS(hw_connection_close(late->connection, 1000, NULL), HW_OK);
    client_state(late, HW_STATE_DISCONNECTED, 0);
    client_set(careless, "circuit.failures_max", "0");
    client_open(careless, server_url("refused", "/"));
    client_event(careless, HW_EVENT_ATTEMPT_FAILED, 5);
    CHECK_EQUAL(client_event_count(careless, HW_EVENT_CIRCUIT), 0);
    client_free(late);
    client_free(careless);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_EQUAL(client_metrics(clients[i]).attempts, client_event_count(clients[i], HW_EVENT_ATTEMPT_FAILED));
        client_free(clients[i]);
    }
}

TEST(one_connection_probes_and_all_follow)
{
    group group = group_new("life-circuit");
    group_ask(&group, "refuse");
    client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new();
        client_set(clients[i], "circuit.failures_max", "3");
        client_set(clients[i], "circuit.open_for", "50ms");
        client_set(clients[i], "reconnect.retry_after_max", "0");
        client_open(clients[i], group_url(&group, "raw", ""));
    }
    for (int i = 0; i < CLIENTS; i++) client_event(clients[i], HW_EVENT_CIRCUIT, 2);
    group_ask(&group, "accept");
    for (int i = 0; i < CLIENTS; i++) client_state(clients[i], HW_STATE_CONNECTED, 0);
    for (int i = 0; i < CLIENTS; i++) {
        size_t changes = client_event_count(clients[i], HW_EVENT_CIRCUIT);
        check_circuit(clients[i], changes);
        CHECK_EQUAL(client_event(clients[i], HW_EVENT_CIRCUIT, changes - 1)->event.level, HW_CIRCUIT_CLOSED);
        client_free(clients[i]);
    }
    group_free(&group);
}

TEST(refusals_for_good_do_not_open_the_circuit)
{
    for (int i = 0; i < 5; i++) {
        client *client = client_new();
        client_set(client, "circuit.failures_max", "1");
        client_open(client, server_url("ws", "/status?code=403"));
        client_state(client, HW_STATE_FAILED, 0);
        CHECK_EQUAL(client_event_count(client, HW_EVENT_CIRCUIT), 0);
        client_free(client);
    }
}

TEST(no_more_attempts_are_begun_than_a_minute_has_room_for)
{
    enum { PER_MINUTE = 3 };
    client *clients[CLIENTS + PER_MINUTE];
    for (int i = 0; i < CLIENTS + PER_MINUTE; i++) {
        clients[i] = client_new();
        client_set(clients[i], "attempts.per_minute_max", "3");
        client_open(clients[i], server_url("ws", "/echo"));
        if (i < PER_MINUTE) client_state(clients[i], HW_STATE_CONNECTED, 0);
    }
    for (int i = 0; i < PER_MINUTE; i++) CHECK_EQUAL(client_event_count(clients[i], HW_EVENT_ATTEMPT_HELD), 0);
    for (int i = PER_MINUTE; i < CLIENTS + PER_MINUTE; i++) {
        const hw_event *held = &client_event(clients[i], HW_EVENT_ATTEMPT_HELD, 0)->event;
        CHECK_EQUAL(held->level, 0);
        CHECK(held->delay_ms > 0 && held->delay_ms <= 60000);
        CHECK_EQUAL(client_metrics(clients[i]).attempts, 0);
        CHECK_EQUAL(client_event_count(clients[i], HW_EVENT_CIRCUIT), 0);
    }
    /* A rotation is an attempt like others; another host has a budget of its own. */
    CHECK_STATUS(hw_connection_rotate(clients[0]->connection), HW_OK);
    CHECK_EQUAL(client_event(clients[0], HW_EVENT_ATTEMPT_HELD, 0)->event.level, 0);
    CHECK_EQUAL(client_metrics(clients[0]).attempts, 1);
    client *elsewhere = client_new();
    client_set(elsewhere, "attempts.per_minute_max", "3");
    client_connect(elsewhere, server_url("aiohttp", "/echo"));
    client_free(elsewhere);
    for (int i = 0; i < CLIENTS + PER_MINUTE; i++) client_free(clients[i]);
}
