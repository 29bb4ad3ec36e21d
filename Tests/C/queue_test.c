/* The queue: messages that are sent now or never, that expire, give way or are taken back, and what is told of each. */
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Larger than what the kernel takes for a peer that reads nothing. */
enum { LARGE = 16 << 20 };

static hw_status try_to_send(client *client, const char *text, hw_send_options options, uint64_t *id)
{
    if (options.struct_size == 0) options.struct_size = sizeof options;
    return hw_connection_send(client->connection, HW_TEXT, text, strlen(text), &options, id);
}

/* Sends a text, which must be accepted, and gives its number. */
static uint64_t send_with(client *client, const char *text, hw_send_options options)
{
    uint64_t id = 0;
    CHECK_STATUS(try_to_send(client, text, options, &id), HW_OK);
    return id;
}

static hw_outcome outcome_of(client *client, uint64_t id)
{
    hw_outcome outcome = -1;
    CHECK_STATUS(hw_connection_outcome(client->connection, id, &outcome), HW_OK);
    return outcome;
}

/* A client whose queue is never emptied, with a property set. */
static client *offline(const char *name, const char *value)
{
    client *client = client_new();
    client_set(client, name, value);
    client_open(client, server_url("refused", "/"));
    return client;
}

/* How many of `count` messages from `first` on events have told of, which must all tell of this outcome. */
static uint64_t told(client *client, uint64_t first, uint64_t count, hw_outcome outcome)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < client_event_count(client, HW_EVENT_OUTCOME); i++) {
        const hw_event *event = &client_event(client, HW_EVENT_OUTCOME, i)->event;
        CHECK(event->count > 0);
        for (uint64_t id = event->message_id; id < event->message_id + event->count; id++) {
            if (id < first || id >= first + count) continue;
            CHECK_EQUAL(event->level, outcome);
            sum++;
        }
    }
    return sum;
}

/* Waits until events have told of so many messages from `first` on, of each once, that they came to this outcome. */
static void check_told(client *client, uint64_t first, uint64_t count, hw_outcome outcome)
{
    AWAIT(told(client, first, count, outcome) >= count);
    CHECK_EQUAL(told(client, first, count, outcome), count);
}

TEST(now_is_refused_while_there_is_no_connection)
{
    group group = group_new("queue-now");
    group_ask(&group, "hold");
    client *client = client_new();
    client_open(client, group_url(&group, "raw", ""));
    uint64_t id = 77;
    CHECK_STATUS(try_to_send(client, "too early", (hw_send_options){.flags = HW_SEND_NOW}, &id), HW_E_NOT_CONNECTED);
    CHECK_EQUAL(id, 77);
    CHECK_EQUAL(client_metrics(client).queue_messages, 0);
    client_send(client, "queued");
    group_ask(&group, "accept");
    client_state(client, HW_STATE_CONNECTED, 0);
    CHECK_EQUAL(send_with(client, "now", (hw_send_options){.flags = HW_SEND_NOW}), 2);
    group_await_seen(&group, "1 queued\n1 now");
    CHECK_EQUAL(outcome_of(client, 2), HW_OUTCOME_SENT);

    group_ask(&group, "hold");
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_RECONNECTING, 0);
    CHECK_STATUS(try_to_send(client, "too late", (hw_send_options){.flags = HW_SEND_NOW}, NULL), HW_E_NOT_CONNECTED);
    group_ask(&group, "accept");
    client_state(client, HW_STATE_CONNECTED, 1);
    client_send(client, "again");
    group_await_seen(&group, "1 queued\n1 now\n2 again");

    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(try_to_send(client, "after the end", (hw_send_options){.flags = HW_SEND_NOW}, NULL), HW_E_STATE);
    client_free(client);
    group_free(&group);
}

TEST(now_waits_for_the_opening_script)
{
    group group = group_new("queue-now-script");
    client *client = client_new();
    static const char step[] = "{\"expect\": {\"prefix\": \"go\"}}";
    hw_error error = NEW_ERROR;
    if (hw_config_add_step(client->config, step, strlen(step), &error) != HW_OK) FAIL("%s", error.message);
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    CHECK_STATUS(try_to_send(client, "too early", (hw_send_options){.flags = HW_SEND_NOW}, NULL), HW_E_NOT_CONNECTED);
    group_ask(&group, "text 1 go");
    client_state(client, HW_STATE_CONNECTED, 0);
    send_with(client, "now", (hw_send_options){.flags = HW_SEND_NOW});
    group_await_seen(&group, "1 now");
    client_free(client);
    group_free(&group);
}

/* The connection breaks while the kernel has a part of one message, and others wait behind it. */
TEST(what_was_to_be_sent_now_is_never_sent_again)
{
    group group = group_new("queue-replay");
    client *client = group_first(&group);
    group_ask(&group, "deaf 1");
    char *large = malloc(LARGE);
    memset(large, 'x', LARGE);
    hw_send_options now = {.struct_size = sizeof now, .flags = HW_SEND_NOW};
    uint64_t id = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, large, LARGE - 1024, &now, &id), HW_OK);
    free(large);
    CHECK_EQUAL(id, 1);
    CHECK_EQUAL(send_with(client, "an order", now), 2);
    CHECK_EQUAL(send_with(client, "queued", (hw_send_options){0}), 3);
    CHECK_EQUAL(send_with(client, "another order", now), 4);
    for (uint64_t i = 1; i <= 4; i++) CHECK_EQUAL(outcome_of(client, i), HW_OUTCOME_PENDING);
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_CONNECTED, 1);
    client_send(client, "the end");
    group_await_seen(&group, "2 queued\n2 the end");
    check_told(client, 1, 2, HW_OUTCOME_DROPPED);
    check_told(client, 4, 1, HW_OUTCOME_DROPPED);
    CHECK_EQUAL(outcome_of(client, 1), HW_OUTCOME_DROPPED);
    CHECK_EQUAL(outcome_of(client, 3), HW_OUTCOME_SENT);
    CHECK_EQUAL(client_metrics(client).queue_dropped, 3);
    CHECK_EQUAL(client_metrics(client).queue_messages, 0);
    CHECK_EQUAL(client_metrics(client).queue_bytes, 0);
    client_free(client);
    group_free(&group);
}

TEST(what_was_sent_is_told_if_asked_for)
{
    group group = group_new("queue-report");
    group_ask(&group, "hold");
    client *client = client_new();
    client_open(client, group_url(&group, "raw", ""));
    hw_send_options report = {.flags = HW_SEND_REPORT};
    for (int i = 0; i < 10; i++) send_with(client, "reported", report);
    for (int i = 0; i < 10; i++) client_send(client, "not reported");
    group_ask(&group, "accept");
    check_told(client, 1, 10, HW_OUTCOME_SENT);
    for (int i = 0; i < 10; i++) send_with(client, "reported", report);
    check_told(client, 21, 10, HW_OUTCOME_SENT);
    report.flags |= HW_SEND_NOW;
    for (int i = 0; i < 10; i++) send_with(client, "reported", report);
    check_told(client, 31, 10, HW_OUTCOME_SENT);
    report.flags = HW_SEND_REPORT | HW_SEND_MORE;
    report.message_id = send_with(client, "in ", report);
    report.flags = 0;
    send_with(client, "parts", report);
    check_told(client, 41, 1, HW_OUTCOME_SENT);
    CHECK_EQUAL(told(client, 11, 10, HW_OUTCOME_SENT), 0);
    for (uint64_t id = 1; id <= 41; id++) CHECK_EQUAL(outcome_of(client, id), HW_OUTCOME_SENT);
    client_free(client);
    group_free(&group);
}

TEST(messages_expire_while_they_wait)
{
    group group = group_new("queue-expiry");
    group_ask(&group, "hold");
    client *client = client_new();
    client_set(client, "queue.ttl", "20ms");
    client_open(client, group_url(&group, "raw", ""));
    send_with(client, "longer than most", (hw_send_options){.ttl_ms = 3600000});
    for (int i = 0; i < 5; i++) client_send(client, "as the property says");
    send_with(client, "shorter", (hw_send_options){.ttl_ms = 1});
    send_with(client, "as long as there is", (hw_send_options){.ttl_ms = UINT64_MAX});
    check_told(client, 2, 6, HW_OUTCOME_EXPIRED);
    CHECK_EQUAL(client_metrics(client).queue_expired, 6);
    CHECK_EQUAL(client_metrics(client).queue_messages, 2);
    CHECK_EQUAL(client_metrics(client).queue_bytes, strlen("longer than most") + strlen("as long as there is"));
    CHECK_EQUAL(outcome_of(client, 2), HW_OUTCOME_EXPIRED);
    CHECK_STATUS(hw_connection_cancel(client->connection, 2), HW_E_STATE);
    CHECK_EQUAL(outcome_of(client, 1), HW_OUTCOME_PENDING);
    group_ask(&group, "accept");
    group_await_seen(&group, "1 longer than most\n1 as long as there is");
    client_free(client);
    group_free(&group);
}

/* A first part holds up what follows it; its own time to live ended with its first byte. */
TEST(messages_expire_behind_others_but_not_once_begun)
{
    group group = group_new("queue-begun");
    client *client = group_first(&group);
    hw_send_options part = {.flags = HW_SEND_MORE | HW_SEND_REPORT, .ttl_ms = 1};
    part.message_id = send_with(client, "begun", part);
    send_with(client, "behind", (hw_send_options){.ttl_ms = 1});
    check_told(client, 2, 1, HW_OUTCOME_EXPIRED);
    CHECK_STATUS(hw_connection_cancel(client->connection, 1), HW_E_STATE);
    part.flags = 0;
    send_with(client, " and ended", part);
    check_told(client, 1, 1, HW_OUTCOME_SENT);
    group_await_seen(&group, "1 begun and ended");
    client_free(client);
    group_free(&group);
}

TEST(an_older_programs_options_have_no_time_to_live)
{
    client *client = client_new();
    client_open(client, server_url("refused", "/"));
    send_with(client, "old", (hw_send_options){.struct_size = 16, .ttl_ms = 1});
    send_with(client, "new", (hw_send_options){.ttl_ms = 1});
    check_told(client, 2, 1, HW_OUTCOME_EXPIRED);
    CHECK_EQUAL(outcome_of(client, 1), HW_OUTCOME_PENDING);
    client_free(client);
}

TEST(the_oldest_give_way_to_new_messages)
{
    group group = group_new("queue-overflow");
    group_ask(&group, "hold");
    client *client = client_new();
    client_set(client, "queue.overflow", "drop_oldest");
    client_set(client, "queue.messages_max", "3");
    client_set(client, "queue.bytes_max", "20");
    client_open(client, group_url(&group, "raw", ""));
    char text[32];
    for (int i = 1; i <= 5; i++) {
        snprintf(text, sizeof text, "m%d", i);
        client_send(client, text);
    }
    check_told(client, 1, 2, HW_OUTCOME_DROPPED);
    CHECK_EQUAL(client_metrics(client).queue_messages, 3);
    CHECK_EQUAL(client_metrics(client).queue_bytes, 6);
    /* One goes by number, and another by size. */
    client_send(client, "0123456789abcdefg");
    check_told(client, 3, 2, HW_OUTCOME_DROPPED);
    CHECK_EQUAL(client_metrics(client).queue_messages, 2);
    CHECK_STATUS(try_to_send(client, "0123456789abcdefghijk", (hw_send_options){0}, NULL), HW_E_TOO_LARGE);
    CHECK_EQUAL(outcome_of(client, 6), HW_OUTCOME_PENDING);
    client_send(client, "m7");
    CHECK_EQUAL(client_metrics(client).queue_dropped, 5);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_WRITABLE), 0);
    group_ask(&group, "accept");
    group_await_seen(&group, "1 0123456789abcdefg\n1 m7");
    client_free(client);
    group_free(&group);
}

TEST(an_unfinished_message_does_not_give_way)
{
    client *client = client_new();
    client_set(client, "queue.overflow", "drop_oldest");
    client_set(client, "queue.messages_max", "2");
    client_open(client, server_url("refused", "/"));
    hw_send_options part = {.flags = HW_SEND_MORE};
    part.message_id = send_with(client, "begun", part);
    client_send(client, "second");
    client_send(client, "third");
    CHECK_EQUAL(outcome_of(client, 1), HW_OUTCOME_PENDING);
    CHECK_EQUAL(outcome_of(client, 2), HW_OUTCOME_DROPPED);
    CHECK_EQUAL(outcome_of(client, 3), HW_OUTCOME_PENDING);
    client_free(client);
}

TEST(messages_are_taken_back)
{
    group group = group_new("queue-cancel");
    group_ask(&group, "hold");
    client *client = client_new();
    client_open(client, group_url(&group, "raw", ""));
    hw_connection *connection = client->connection;
    for (int i = 1; i <= 6; i++) {
        char text[16];
        snprintf(text, sizeof text, "m%d", i);
        client_send(client, text);
    }
    CHECK_STATUS(hw_connection_cancel(connection, 0), HW_E_RANGE);
    CHECK_STATUS(hw_connection_cancel(connection, 7), HW_E_RANGE);
    CHECK_STATUS(hw_connection_cancel(connection, UINT64_MAX), HW_E_RANGE);
    CHECK_STATUS(hw_connection_cancel(NULL, 1), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_cancel(connection, 1), HW_OK);
    CHECK_STATUS(hw_connection_cancel(connection, 1), HW_E_STATE);
    CHECK_STATUS(hw_connection_cancel(connection, 3), HW_OK);
    CHECK_STATUS(hw_connection_cancel(connection, 6), HW_OK);
    check_told(client, 6, 1, HW_OUTCOME_CANCELLED);
    CHECK_EQUAL(client_metrics(client).queue_cancelled, 3);
    CHECK_EQUAL(client_metrics(client).queue_messages, 3);
    CHECK_EQUAL(client_metrics(client).queue_bytes, 6);
    for (uint64_t id = 1; id <= 6; id++)
        CHECK_EQUAL(outcome_of(client, id), id == 1 || id == 3 || id == 6 ? HW_OUTCOME_CANCELLED : HW_OUTCOME_PENDING);
    group_ask(&group, "accept");
    group_await_seen(&group, "1 m2\n1 m4\n1 m5");
    CHECK_EQUAL(outcome_of(client, 5), HW_OUTCOME_SENT);
    CHECK_STATUS(hw_connection_cancel(connection, 5), HW_E_STATE);
    CHECK_EQUAL(outcome_of(client, 3), HW_OUTCOME_CANCELLED);
    client_free(client);
    group_free(&group);
}

TEST(what_the_end_finds_waiting_is_cancelled)
{
    client *closed = offline("reconnect.base", "10ms");
    for (int i = 0; i < 10; i++) client_send(closed, "never");
    CHECK_STATUS(hw_connection_close(closed->connection, 1000, NULL), HW_OK);
    check_told(closed, 1, 10, HW_OUTCOME_CANCELLED);
    CHECK_EQUAL(client_event(closed, HW_EVENT_OUTCOME, 0)->event.count, 10);
    CHECK_EQUAL(outcome_of(closed, 10), HW_OUTCOME_CANCELLED);
    CHECK_EQUAL(client_metrics(closed).queue_cancelled, 10);
    CHECK_STATUS(hw_connection_cancel(closed->connection, 10), HW_E_STATE);
    client_free(closed);

    client *failed = client_new();
    client_set(failed, "reconnect.attempts_max", "2");
    client_open(failed, server_url("refused", "/"));
    client_send(failed, "never");
    client_state(failed, HW_STATE_FAILED, 0);
    check_told(failed, 1, 1, HW_OUTCOME_CANCELLED);
    client_free(failed);
}

TEST(outcomes_have_statuses)
{
    client *client = offline("queue.messages_max", "20000");
    hw_outcome outcome = 77;
    CHECK_STATUS(hw_connection_outcome(client->connection, 1, &outcome), HW_E_RANGE);
    client_send(client, "one");
    CHECK_STATUS(hw_connection_outcome(client->connection, 0, &outcome), HW_E_RANGE);
    CHECK_STATUS(hw_connection_outcome(client->connection, 2, &outcome), HW_E_RANGE);
    CHECK_STATUS(hw_connection_outcome(client->connection, 1, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_outcome(NULL, 1, &outcome), HW_E_HANDLE);
    CHECK_EQUAL(outcome, 77);
    CHECK_EQUAL(outcome_of(client, 1), HW_OUTCOME_PENDING);

    /* Each stands alone among messages that wait, so each is a stretch of its own. */
    enum { MESSAGES = 12000, REMEMBERED = 4096 };
    while (send_with(client, "x", (hw_send_options){0}) < MESSAGES) continue;
    for (uint64_t id = 2; id <= MESSAGES; id += 2) CHECK_STATUS(hw_connection_cancel(client->connection, id), HW_OK);
    for (uint64_t id = MESSAGES - 2 * REMEMBERED + 2; id <= MESSAGES; id += 2) CHECK_EQUAL(outcome_of(client, id), HW_OUTCOME_CANCELLED);
    for (uint64_t id = 1; id <= MESSAGES; id += 2) CHECK_EQUAL(outcome_of(client, id), HW_OUTCOME_PENDING);
    for (uint64_t id = 2; id <= MESSAGES; id += 2)
        if (hw_connection_outcome(client->connection, id, &outcome) != HW_E_RANGE) CHECK_EQUAL(outcome, HW_OUTCOME_CANCELLED);
    CHECK_STATUS(hw_connection_outcome(client->connection, 2, &outcome), HW_E_RANGE);
    CHECK_EQUAL(client_metrics(client).queue_cancelled, MESSAGES / 2);
    client_free(client);
}

TEST(options_that_do_not_go_together_are_refused)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_send_options part = {.flags = HW_SEND_MORE};
    uint64_t begun = send_with(client, "begun", part), id = 77;
    const hw_send_options wrong[] = {
        {.flags = 8},
        {.flags = 0x80000000},
        {.flags = HW_SEND_NOW | HW_SEND_MORE},
        {.flags = HW_SEND_NOW, .message_id = begun},
        {.flags = HW_SEND_REPORT | HW_SEND_MORE, .message_id = begun + 1},
        {.struct_size = 1},
        {.struct_size = 15},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_STATUS(try_to_send(client, "x", wrong[i], &id), HW_E_ARGUMENT);
    CHECK_EQUAL(id, 77);
    CHECK_EQUAL(client_metrics(client).queue_messages, 1);
    send_with(client, " and ended", (hw_send_options){.message_id = begun});
    CHECK_TEXT(client_message(client, 0)->text, "begun and ended");
    client_free(client);
}
