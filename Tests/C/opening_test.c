/* The opening script: what is said on each connection before anything else, and what becomes of scripts that fail. */
#include "rotation.h"

#include <string.h>

/* A script that logs in: "hello", a challenge, its answer, "ok". */
static client *logging_in(void)
{
    client *new = client_new();
    add_step(new, "{\"send\": {\"body\": \"hello\"}}");
    add_step(new, "{\"expect\": {\"has\": [\"/nonce\"]}, \"learn\": {\"nonce\": \"/nonce\", \"counter\": \"/n\", \"extra\": \"/extra\"}}");
    add_step(new, "{\"send\": {\"body\": \"login ${last.nonce} ${counter} ${last.extra|none}\"}}");
    add_step(new, "{\"expect\": {\"eq\": \"ok\"}, \"fail\": {\"prefix\": \"no\"}, \"timeout\": \"1h\"}");
    return new;
}

static void keep(client *client, const char *key, const char *text)
{
    CHECK_STATUS(hw_connection_keep(client->connection, key, HW_TEXT, text, strlen(text)), HW_OK);
}

/* Waits for the failed attempt of that number, which must be this one since the last connection and say this. */
static const hw_event *script_failure(client *client, size_t number, unsigned attempt, const char *says)
{
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, number);
    CHECK_STATUS(failed->event.status, HW_E_SCRIPT);
    CHECK_EQUAL(failed->event.attempt, attempt);
    CHECK_EQUAL(failed->event.retryable, 1);
    CHECK_TEXT(failed->text, says);
    return &failed->event;
}

TEST(the_script_comes_first_then_what_is_kept_then_the_queue)
{
    group group = group_new("opening-order");
    client *client = logging_in();
    client_open(client, group_url(&group, "raw", ""));
    client_send(client, "queued");
    keep(client, "a", "kept");
    client_send(client, "queued too");
    client_event(client, HW_EVENT_OPENED, 0);
    group_await_seen(&group, "1 hello");
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTING);
    group_ask(&group, "text 1 ok");
    group_ask(&group, "text 1 {\"nonce\":\"n1\",\"n\":41}");
    group_await_seen(&group, "1 hello\n1 login \"n1\" 42 none");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_STATE), 1);
    group_ask(&group, "text 1 ok");
    client_state(client, HW_STATE_CONNECTED, 0);
    group_await_seen(&group, "1 hello\n1 login \"n1\" 42 none\n1 kept\n1 queued\n1 queued too");
    /* What the steps look at is delivered like everything else. */
    CHECK_TEXT(client_message(client, 0)->text, "ok");
    CHECK_TEXT(client_message(client, 1)->text, "{\"nonce\":\"n1\",\"n\":41}");
    CHECK_TEXT(client_message(client, 2)->text, "ok");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ATTEMPT_FAILED), 0);
    client_free(client);
    group_free(&group);
}

TEST(the_script_runs_anew_on_every_connection)
{
    group group = group_new("opening-again");
    client *client = logging_in();
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    group_ask(&group, "text 1 {\"nonce\":1,\"n\":7,\"extra\":true}");
    group_ask(&group, "text 1 ok");
    client_state(client, HW_STATE_CONNECTED, 0);
    keep(client, "a", "kept");
    group_await_seen(&group, "1 hello\n1 login 1 8 true\n1 kept");
    group_ask(&group, "hold");
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_RECONNECTING, 0);
    client_send(client, "queued");
    group_ask(&group, "accept");
    client_event(client, HW_EVENT_OPENED, 1);
    /* Nothing that an earlier connection has learned is left. */
    group_ask(&group, "text 2 {\"nonce\":2}");
    group_ask(&group, "text 2 ok");
    client_state(client, HW_STATE_CONNECTED, 1);
    group_await_seen(&group, "1 hello\n1 login 1 8 true\n1 kept\n2 hello\n2 login 2 1 none\n2 kept\n2 queued");
    CHECK_EQUAL(client_metrics(client).reconnections, 1);
    client_free(client);
    group_free(&group);
}

TEST(scripts_that_time_out_use_up_the_attempts)
{
    group group = group_new("opening-timeout");
    client *client = client_new();
    add_step(client, "{\"send\": {\"body\": \"hello\"}}");
    add_step(client, "{\"expect\": {\"eq\": \"ok\"}, \"timeout\": \"20ms\"}");
    client_set(client, "reconnect.attempts_max", "3");
    client_open(client, group_url(&group, "raw", ""));
    client_send(client, "never");
    keep(client, "a", "never");
    for (unsigned i = 0; i < 3; i++) {
        const char *says = "step 1 of the opening script: what it expects did not come within 20 ms";
        const hw_event *failed = script_failure(client, i, i + 1, says);
        CHECK_EQUAL(failed->epoch, i + 1);
        CHECK_EQUAL(failed->delay_ms > 0, i < 2);
    }
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_SCRIPT);
    CHECK_EQUAL(client_metrics(client).attempts, 3);
    CHECK_EQUAL(client_metrics(client).attempts_failed, 3);
    CHECK_EQUAL(client_metrics(client).queue_cancelled, 1);
    for (size_t i = 0; i < client_event_count(client, HW_EVENT_STATE); i++)
        CHECK(client_event(client, HW_EVENT_STATE, i)->event.state != HW_STATE_CONNECTED);
    CHECK_TEXT(group_closes(&group, 3), "1 1000\n2 1000\n3 1000");
    group_await_seen(&group, "1 hello\n2 hello\n3 hello");
    client_free(client);
    group_free(&group);
}

TEST(the_property_is_for_expectations_without_a_timeout)
{
    group group = group_new("opening-property");
    client *client = client_new();
    add_step(client, "{\"expect\": {\"eq\": \"first\"}, \"timeout\": \"1h\"}");
    add_step(client, "{\"expect\": {\"eq\": \"second\"}}");
    client_set(client, "script.timeout", "30ms");
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    group_ask(&group, "text 1 first");
    script_failure(client, 0, 1, "step 1 of the opening script: what it expects did not come within 30 ms");
    client_free(client);
    group_free(&group);
}

TEST(a_refusal_fails_the_attempt_at_once)
{
    group group = group_new("opening-refusal");
    client *client = logging_in();
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    group_ask(&group, "text 1 {\"nonce\":1}");
    group_ask(&group, "text 1 no: wrong key");
    script_failure(client, 0, 1, "step 3 of the opening script: the server refused: no: wrong key");
    CHECK_TEXT(group_closes(&group, 1), "1 1000");
    client_event(client, HW_EVENT_OPENED, 1);
    group_ask(&group, "text 2 {\"nonce\":2}");
    group_ask(&group, "text 2 no");
    script_failure(client, 1, 2, "step 3 of the opening script: the server refused: no");
    client_free(client);
    group_free(&group);
}

/* A script that was run to its end makes the attempts count from 1 again. */
TEST(an_attempt_that_follows_a_failed_script_may_succeed)
{
    group group = group_new("opening-recovery");
    client *client = client_new();
    add_step(client, "{\"expect\": {\"eq\": \"go\"}, \"fail\": {\"eq\": \"no\"}, \"timeout\": \"1h\"}");
    client_set(client, "reconnect.attempts_max", "2");
    client_set(client, "reconnect.stable_after", "0");
    client_open(client, group_url(&group, "raw", ""));
    client_send(client, "queued");
    for (unsigned i = 0; i < 3; i++) {
        client_event(client, HW_EVENT_OPENED, 2 * i);
        group_ask(&group, "text %u no", 2 * i + 1);
        script_failure(client, i, 1, "step 0 of the opening script: the server refused: no");
        client_event(client, HW_EVENT_OPENED, 2 * i + 1);
        group_ask(&group, "text %u go", 2 * i + 2);
        client_state(client, HW_STATE_CONNECTED, i);
        group_await_seen(&group, "2 queued");
        group_ask(&group, "drop %u", 2 * i + 2);
    }
    client_free(client);
    group_free(&group);
}

TEST(a_value_that_was_never_learned_fails_the_attempt)
{
    group group = group_new("opening-missing");
    client *client = logging_in();
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    group_ask(&group, "text 1 {\"nonce\":null}");
    script_failure(client, 0, 1,
                   "step 2 of the opening script could not be sent: a value that it takes from an earlier message is missing, or it is too "
                   "long or no UTF-8");
    client_event(client, HW_EVENT_OPENED, 1);
    group_await_seen(&group, "1 hello\n2 hello");
    client_free(client);
    group_free(&group);
}

TEST(a_loss_in_the_midst_of_the_script_is_a_failed_attempt)
{
    group group = group_new("opening-loss");
    client *client = logging_in();
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    group_await_seen(&group, "1 hello");
    group_ask(&group, "text 1 {\"nonce\":1}");
    group_await_seen(&group, "1 hello\n1 login 1 1 none");
    group_ask(&group, "drop 1");
    const hw_event *failed = &client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event;
    CHECK_STATUS(failed->status, HW_E_CONNECTION_LOST);
    CHECK_EQUAL(failed->attempt, 1);
    client_event(client, HW_EVENT_OPENED, 1);
    group_await_seen(&group, "1 hello\n1 login 1 1 none\n2 hello");
    group_ask(&group, "text 2 {\"nonce\":2}");
    group_ask(&group, "text 2 ok");
    client_state(client, HW_STATE_CONNECTED, 0);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 0);
    client_free(client);
    group_free(&group);
}

TEST(a_connection_closes_in_the_midst_of_its_script)
{
    group group = group_new("opening-close");
    client *client = logging_in();
    client_open(client, group_url(&group, "raw", ""));
    client_send(client, "never");
    client_event(client, HW_EVENT_OPENED, 0);
    group_await_seen(&group, "1 hello");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, "enough"), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_EQUAL(client_metrics(client).queue_cancelled, 1);
    CHECK_TEXT(group_closes(&group, 1), "1 1000");
    group_await_seen(&group, "1 hello");
    client_free(client);
    group_free(&group);
}

TEST(steps_send_text_bytes_and_compressed_forms)
{
    client *client = client_new();
    add_step(client, "{\"send\": {\"op\": \"binary\", \"hex\": \"00ff\"}}");
    add_step(client, "{\"send\": {\"op\": \"binary\", \"body\": \"packed\", \"encode\": [\"gzip\"]}}");
    add_step(client, "{\"send\": {\"body\": \"!text welcome\"}}");
    add_step(client, "{\"expect\": {\"eq\": \"welcome\"}}");
    add_step(client, "{\"send\": {\"body\": \"\"}}");
    client_set(client, "ping.interval", "0");
    client_connect(client, server_url("raw", "/obey"));
    CHECK_TEXT(client_frames_seen(client), "2 00ff\n2 gzip packed\n1 ");
    client_free(client);
}
