/* Rotations that fail, or are overtaken by the loss or the end of the connection. */
#include "rotation.h"

#include <stdlib.h>
#include <string.h>

TEST(a_failed_rotation_is_tried_again_while_the_old_connection_stays)
{
    group group = group_new("rotation-refused");
    client *client = rotating_first(&group);
    group_ask(&group, "refuse");
    rotate(client);
    rotation(client, 0, HW_ROTATION_STARTED, 1);
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(failed->event.attempt, 1);
    CHECK(failed->event.delay_ms > 0);
    const record *told = client_event(client, HW_EVENT_ROTATION, 1);
    CHECK_EQUAL(told->event.level, HW_ROTATION_FAILED);
    CHECK_STATUS(told->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(told->event.http_status, 503);
    CHECK_CONTAINS(told->text, "503");
    CHECK_EQUAL(told->event.state, HW_STATE_CONNECTED);
    client_send(client, "by the old one");
    group_await_seen(&group, "1 by the old one");
    /* A server that is unavailable is given some seconds; the application need not wait. */
    group_ask(&group, "accept");
    rotate(client);
    rotation(client, 2, HW_ROTATION_STARTED, 1);
    rotation(client, 3, HW_ROTATION_SWITCHED, 2);
    rotation(client, 4, HW_ROTATION_FINISHED, 1);
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

TEST(the_next_try_of_a_rotation_follows_by_itself)
{
    group group = group_new("rotation-again");
    client *client = rotating();
    client_set(client, "reconnect.retry_after_max", "0");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "refuse");
    rotate(client);
    client_event(client, HW_EVENT_ATTEMPT_FAILED, 2);
    CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 2)->event.attempt, 3);
    group_ask(&group, "accept");
    AWAIT(client_metrics(client).rotations == 1);
    client_send(client, "by the new one");
    AWAIT(strstr(group_ask(&group, "seen"), " by the new one") != NULL);
    CHECK(strstr(group_ask(&group, "seen"), "1 by the new one") == NULL);
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

TEST(a_script_that_fails_fails_the_rotation)
{
    group group = group_new("rotation-script");
    client *client = scripted_first(&group, rotating());
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    group_ask(&group, "refuse");
    group_ask(&group, "text 2 no");
    const record *failed = client_event(client, HW_EVENT_ROTATION, 1);
    CHECK_EQUAL(failed->event.level, HW_ROTATION_FAILED);
    CHECK_STATUS(failed->event.status, HW_E_SCRIPT);
    CHECK_STATUS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.status, HW_E_SCRIPT);
    client_send(client, "by the old one");
    group_await_seen(&group, "1 by the old one");
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

TEST(a_lost_connection_is_replaced_by_its_successor)
{
    group group = group_new("rotation-lost");
    client *client = rotating_first(&group);
    group_ask(&group, "hold");
    rotate(client);
    group_ask(&group, "await 2");
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_RECONNECTING, 0);
    client_send(client, "queued");
    group_ask(&group, "accept");
    client_state(client, HW_STATE_CONNECTED, 1);
    group_await_seen(&group, "2 queued");
    CHECK_EQUAL(client_event(client, HW_EVENT_GAP, 0)->event.epoch, 2);
    CHECK_EQUAL(client_metrics(client).reconnections, 1);
    CHECK_EQUAL(client_metrics(client).attempts, 2);
    /* It can be rotated in its turn. */
    rotate(client);
    rotation(client, 1, HW_ROTATION_FAILED, 1);
    rotation(client, 2, HW_ROTATION_STARTED, 2);
    rotation(client, 3, HW_ROTATION_SWITCHED, 3);
    rotation(client, 4, HW_ROTATION_FINISHED, 2);
    client_free(client);
    group_free(&group);
}

/* The successor stands and waits for the old connection's message to end, which is lost first. */
TEST(a_connection_lost_before_the_switch_gives_up_its_message)
{
    group group = group_new("rotation-lost-switching");
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    client_send(client, "next");
    group_ask(&group, "drop 1");
    rotation(client, 1, HW_ROTATION_SWITCHED, 2);
    part.flags = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, " and ended", 10, &part, NULL), HW_OK);
    group_await_seen(&group, "2 begun and ended\n2 next");
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    client_free(client);
    group_free(&group);
}

/* The old connection takes nothing any more: what it had begun goes by the new one, but for what was to be sent now. */
TEST(a_connection_that_is_stuck_is_given_up)
{
    enum { LARGE = 16 << 20 };
    group group = group_new("rotation-stuck");
    client *client = rotating();
    client_set(client, "close.timeout", "100ms");
    client_set(client, "queue.bytes_max", "64MiB");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "deaf 1");
    char *large = malloc(LARGE);
    memset(large, 'x', LARGE);
    hw_send_options now = {.struct_size = sizeof now, .flags = HW_SEND_NOW};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, large, LARGE, &now, NULL), HW_OK);
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, large, LARGE, NULL, NULL), HW_OK);
    free(large);
    client_send(client, "next");
    rotate(client);
    rotation(client, 0, HW_ROTATION_STARTED, 1);
    rotation(client, 1, HW_ROTATION_SWITCHED, 2);
    CHECK_STATUS(client_event(client, HW_EVENT_CLOSED, 0)->event.status, HW_E_CONNECTION_LOST);
    AWAIT(strstr(group_ask(&group, "seen"), "\n2 next") != NULL);
    CHECK_CONTAINS(group_ask(&group, "seen"), "seen\n2 xxx");
    hw_outcome outcome = HW_OUTCOME_PENDING;
    CHECK_STATUS(hw_connection_outcome(client->connection, 1, &outcome), HW_OK);
    CHECK_EQUAL(outcome, HW_OUTCOME_DROPPED);
    CHECK_STATUS(hw_connection_outcome(client->connection, 2, &outcome), HW_OK);
    CHECK_EQUAL(outcome, HW_OUTCOME_SENT);
    CHECK_EQUAL(client_metrics(client).queue_dropped, 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_STATE), 2);
    client_free(client);
    group_free(&group);
}

/* The successor stands, waits for the old connection's message to end, and is lost itself. */
TEST(a_successor_lost_before_the_switch_leaves_the_old_connection_sending)
{
    group group = group_new("rotation-successor-lost");
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    group_ask(&group, "refuse");
    group_ask(&group, "drop 2");
    CHECK_EQUAL(client_event(client, HW_EVENT_ROTATION, 1)->event.level, HW_ROTATION_FAILED);
    part.flags = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, " and ended", 10, &part, NULL), HW_OK);
    client_send(client, "next");
    group_await_seen(&group, "1 begun and ended\n1 next");
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

/* A rotation has failed and waits for its next try when the connection itself is lost: one attempt at a time follows. */
TEST(a_connection_lost_between_two_tries_is_made_anew)
{
    group group = group_new("rotation-lost-waiting");
    client *client = rotating();
    client_set(client, "reconnect.retry_after_max", "0");
    client_set(client, "reconnect.base", "100ms");
    client_set(client, "reconnect.jitter", "none");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "refuse");
    rotate(client);
    client_event(client, HW_EVENT_ROTATION, 1);
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_RECONNECTING, 0);
    group_ask(&group, "accept");
    client_state(client, HW_STATE_CONNECTED, 1);
    client_send(client, "again");
    AWAIT(strstr(group_ask(&group, "seen"), " again") != NULL);
    check_threads_rest();
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 1);
    CHECK_EQUAL(client_metrics(client).reconnections, 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_OPENED), 2);
    client_free(client);
    group_free(&group);
}

TEST(close_ends_a_rotation_that_is_connecting)
{
    group group = group_new("rotation-close-connecting");
    client *client = rotating_first(&group);
    group_ask(&group, "hold");
    rotate(client);
    group_ask(&group, "await 2");
    client_send(client, "last words");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(hw_connection_rotate(client->connection), HW_E_STATE);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_TEXT(group_closes(&group, 1), "1 1000");
    group_await_seen(&group, "1 last words");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 1);
    CHECK_STATUS(client_event(client, HW_EVENT_CLOSED, 0)->event.status, HW_OK);
    CHECK_STATUS(hw_connection_rotate(client->connection), HW_E_STATE);
    client_free(client);
    group_free(&group);
}

TEST(close_ends_a_rotation_whose_script_runs)
{
    group group = group_new("rotation-close-script");
    client *client = scripted_first(&group, rotating());
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    client_send(client, "last words");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    group_await_seen(&group, "1 last words");
    const char *closes = group_closes(&group, 2);
    CHECK_CONTAINS(closes, "1 1000");
    CHECK_CONTAINS(closes, "2 1001");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 2);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ENGINE_STARTED), client_event_count(client, HW_EVENT_ENGINE_STOPPED));
    client_free(client);
    group_free(&group);
}

TEST(close_ends_a_rotation_before_the_switch)
{
    group group = group_new("rotation-close-switching");
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    part.flags = 0;
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_CONTAINS(group_closes(&group, 2), "2 1001");
    client_free(client);
    group_free(&group);
}

/* What a test does as soon as a rotation has come to a step. */
typedef struct {
    hw_rotation step;
    void (*end)(hw_connection *connection);
} ending;

static void end_inside(client *client, const record *latest)
{
    const ending *ending = client->hook_context;
    if (!latest->is_event || latest->event.kind != HW_EVENT_ROTATION) return;
    if (latest->event.level == ending->step) ending->end(client->connection);
}

static void close_gracefully(hw_connection *connection)
{
    CHECK_STATUS(hw_connection_close(connection, 1000, NULL), HW_OK);
}

/* At each step of a rotation, from inside the callback and from outside. */
static void end_rotations(const char *key, void (*end)(hw_connection *connection))
{
    const char *deliveries[] = {"dispatcher", "inline", NULL};
    group group = group_new(key);
    for (hw_rotation step = HW_ROTATION_STARTED; step <= HW_ROTATION_FINISHED; step++)
        for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries; i++) {
            ending ending = {step, end};
            client *client = rotating();
            if (deliveries[i] != NULL) {
                client->hook = end_inside;
                client->hook_context = &ending;
                client_set(client, "delivery", deliveries[i]);
            }
            client_connect(client, group_url(&group, "raw", "&count="));
            rotate(client);
            client_event(client, HW_EVENT_ROTATION, (size_t)step - 1);
            if (deliveries[i] == NULL) end(client->connection);
            if (end == hw_connection_release)
                client_await_released(client);
            else
                client_state(client, HW_STATE_DISCONNECTED, 0);
            client_free(client);
        }
    group_free(&group);
}

TEST(release_ends_a_rotation)
{
    end_rotations("rotation-release", hw_connection_release);
}

TEST(close_ends_a_rotation)
{
    end_rotations("rotation-close", close_gracefully);
}

TEST(shutdown_ends_rotations)
{
    group group = group_new("rotation-shutdown");
    client *scripted = scripted_first(&group, rotating());
    rotate(scripted);
    client_event(scripted, HW_EVENT_OPENED, 1);
    client *connecting = rotating_first(&group);
    group_ask(&group, "hold");
    rotate(connecting);
    group_ask(&group, "await 4");
    client_send(connecting, "last words");
    group_await_seen(&group, "3 last words");
    client_free(group.control);
    hw_shutdown_report report = {.struct_size = sizeof report};
    CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
    CHECK_EQUAL(report.connections, 2);
    CHECK_EQUAL(report.messages_unsent, 0);
    CHECK_EQUAL(hw_connection_state(scripted->connection), HW_STATE_DISCONNECTED);
    CHECK_EQUAL(hw_connection_state(connecting->connection), HW_STATE_DISCONNECTED);
    client_free(scripted);
    client_free(connecting);
}
