/* The three ways of delivery, and what happens when the application takes too little. */
#include "client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAKE_MAX = 64 };

/* A connection that delivers into an inbox. */
typedef struct {
    hw_config *config;
    hw_inbox *inbox;
    hw_connection *connection;
} receiver;

static hw_config *new_config(void)
{
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_set(config, "reconnect.base", "10ms", NULL), HW_OK);
    CHECK_STATUS(hw_config_set(config, "reconnect.cap", "100ms", NULL), HW_OK);
    return config;
}

/* Opens the URL with properties given as name, value, ..., NULL. */
static receiver receiver_open(const char *url, const char *const *properties)
{
    receiver new = {.config = new_config()};
    for (; *properties != NULL; properties += 2) CHECK_STATUS(hw_config_set(new.config, properties[0], properties[1], NULL), HW_OK);
    CHECK_STATUS(hw_inbox_new(new.config, &new.inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(new.config, new.inbox, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(new.config, url, &new.connection, NULL), HW_OK);
    return new;
}

static void receiver_close(receiver *receiver)
{
    hw_connection_release(receiver->connection);
    hw_inbox_release(receiver->inbox);
    hw_config_free(receiver->config);
}

static hw_metrics metrics_of(receiver *receiver)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    CHECK_STATUS(hw_connection_metrics(receiver->connection, &metrics), HW_OK);
    return metrics;
}

/* Takes the next deliveries, which must come. */
static size_t take(hw_inbox *inbox, hw_delivery *deliveries)
{
    size_t count = 0;
    CHECK_STATUS(hw_inbox_take(inbox, deliveries, TAKE_MAX, &count, PATIENCE_MS), HW_OK);
    CHECK(count >= 1 && count <= TAKE_MAX);
    return count;
}

/* Takes until an event of this kind has come, and returns a copy of it; its text is no longer valid. */
static hw_event take_until(hw_inbox *inbox, hw_event_kind kind)
{
    hw_delivery deliveries[1];
    size_t count;
    do CHECK_STATUS(hw_inbox_take(inbox, deliveries, 1, &count, PATIENCE_MS), HW_OK);
    while (deliveries[0].event == NULL || deliveries[0].event->kind != kind);
    return *deliveries[0].event;
}

TEST(inline_callbacks_deliver_in_order)
{
    client *client = client_new();
    client_set(client, "delivery", "inline");
    client_open(client, server_url("ws", "/echo"));
    char text[32];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "message %d", i);
        client_send(client, text);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "message %d", i);
        CHECK_TEXT(client_message(client, (size_t)i)->text, text);
    }
    client_free(client);
}

TEST(opened_comes_before_the_first_message)
{
    client *client = client_connected(server_url("raw", "/two-in-one"));
    const record *opened = client_event(client, HW_EVENT_OPENED, 0);
    const record *message = client_message(client, 0);
    size_t opened_at = 0, message_at = 0;
    for (size_t i = 0; i < client->count; i++) {
        if (client->records[i] == opened) opened_at = i;
        if (client->records[i] == message) message_at = i;
    }
    CHECK(opened_at < message_at);
    client_free(client);
}

TEST(graceful_end_delivers_everything_before_the_release)
{
    client *client = client_connected(server_url("ws", "/flood?n=500&size=10"));
    AWAIT(client_metrics(client).messages_received == 500);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(hw_connection_wait(client->connection, HW_STATE_DISCONNECTED, PATIENCE_MS, NULL), HW_OK);
    hw_connection_release(client->connection);
    CHECK_EQUAL(client_message_count(client), 500);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 1);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    client_free(client);
}

TEST(inbox_take_blocks_until_something_comes)
{
    receiver receiver = receiver_open(server_url("ws", "/flood?n=1000&size=5"), (const char *[]){NULL});
    hw_delivery deliveries[TAKE_MAX];
    size_t messages = 0;
    while (messages < 1000) {
        size_t count = take(receiver.inbox, deliveries);
        for (size_t i = 0; i < count; i++) {
            CHECK(deliveries[i].connection == receiver.connection);
            if (deliveries[i].event != NULL) continue;
            CHECK_EQUAL(deliveries[i].message.size, 5);
            CHECK(memcmp(deliveries[i].message.data, "xxxxx", 5) == 0);
            messages++;
        }
    }
    size_t count = 77;
    CHECK_STATUS(hw_inbox_take(receiver.inbox, deliveries, TAKE_MAX, &count, 0), HW_E_TIMEOUT);
    CHECK_STATUS(hw_inbox_take(receiver.inbox, deliveries, TAKE_MAX, &count, 1), HW_E_TIMEOUT);
    CHECK_EQUAL(count, 77);
    hw_connection_release(receiver.connection);
    take_until(receiver.inbox, HW_EVENT_RELEASED);
    CHECK_STATUS(hw_inbox_take(receiver.inbox, deliveries, TAKE_MAX, &count, 0), HW_E_TIMEOUT);
    receiver_close(&receiver);
}

TEST(inbox_descriptor_is_readable_while_something_waits)
{
    /* Without heartbeats no event comes by itself. */
    receiver receiver = receiver_open(server_url("ws", "/echo"), (const char *[]){"ping.interval", "0", NULL});
    take_until(receiver.inbox, HW_EVENT_OPENED);
    take_until(receiver.inbox, HW_EVENT_STATE);
    struct pollfd waiting = {.fd = hw_inbox_fd(receiver.inbox), .events = POLLIN};
    CHECK(waiting.fd >= 0);
    CHECK_EQUAL(hw_inbox_fd(receiver.inbox), waiting.fd);
    for (int i = 0; i < 20; i++) {
        /* Nothing is under way, so nothing may be readable. */
        CHECK_EQUAL(poll(&waiting, 1, 0), 0);
        CHECK_STATUS(hw_connection_send(receiver.connection, HW_TEXT, "one", 3, NULL, NULL), HW_OK);
        CHECK_EQUAL(poll(&waiting, 1, PATIENCE_MS), 1);
        CHECK_EQUAL(waiting.revents, POLLIN);
        CHECK_EQUAL(poll(&waiting, 1, 0), 1);
        hw_delivery deliveries[TAKE_MAX];
        size_t count = 0;
        CHECK_STATUS(hw_inbox_take(receiver.inbox, deliveries, TAKE_MAX, &count, 0), HW_OK);
        CHECK_EQUAL(count, 1);
        CHECK(deliveries[0].event == NULL && deliveries[0].message.size == 3);
    }
    receiver_close(&receiver);
}

TEST(inbox_descriptor_stays_readable_while_a_part_was_taken)
{
    receiver receiver = receiver_open(server_url("ws", "/flood?n=100&size=5"), (const char *[]){NULL});
    AWAIT(metrics_of(&receiver).messages_received == 100);
    struct pollfd waiting = {.fd = hw_inbox_fd(receiver.inbox), .events = POLLIN};
    size_t messages = 0;
    while (messages < 100) {
        CHECK_EQUAL(poll(&waiting, 1, PATIENCE_MS), 1);
        hw_delivery deliveries[1];
        size_t count = 0;
        CHECK_STATUS(hw_inbox_take(receiver.inbox, deliveries, 1, &count, 0), HW_OK);
        CHECK_EQUAL(count, 1);
        messages += deliveries[0].event == NULL;
    }
    receiver_close(&receiver);
}

TEST(one_inbox_serves_many_connections)
{
    enum { CONNECTIONS = 8 };
    hw_config *config = new_config();
    hw_inbox *inbox = NULL;
    hw_connection *connections[CONNECTIONS];
    int numbers[CONNECTIONS];
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    for (int i = 0; i < CONNECTIONS; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        numbers[i] = i;
        CHECK_STATUS(hw_config_set_inbox(config, inbox, &numbers[i]), HW_OK);
        CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connections[i], NULL), HW_OK);
        CHECK_STATUS(hw_connection_send(connections[i], HW_TEXT, text, strlen(text), NULL, NULL), HW_OK);
    }
    hw_delivery deliveries[TAKE_MAX];
    for (int seen = 0; seen < CONNECTIONS;) {
        size_t count = take(inbox, deliveries);
        for (size_t i = 0; i < count; i++) {
            int number = *(int *)deliveries[i].context;
            CHECK(deliveries[i].connection == connections[number]);
            if (deliveries[i].event != NULL) continue;
            CHECK_EQUAL(deliveries[i].message.data[0], '0' + number);
            seen++;
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) hw_connection_release(connections[i]);
    for (int i = 0; i < CONNECTIONS; i++) take_until(inbox, HW_EVENT_RELEASED);
    hw_inbox_release(inbox);
    hw_config_free(config);
}

static void *take_from(void *inbox)
{
    hw_delivery deliveries[TAKE_MAX];
    size_t count;
    hw_status status;
    while ((status = hw_inbox_take(inbox, deliveries, TAKE_MAX, &count, UINT32_MAX)) == HW_OK) continue;
    return (void *)(intptr_t)status;
}

TEST(take_ends_when_the_inbox_is_released)
{
    receiver receiver = receiver_open(server_url("ws", "/flood?n=100&size=5"), (const char *[]){NULL});
    pthread_t taking;
    CHECK_EQUAL(pthread_create(&taking, NULL, take_from, receiver.inbox), 0);
    AWAIT(metrics_of(&receiver).messages_received == 100);
    hw_inbox_release(receiver.inbox);
    void *status;
    pthread_join(taking, &status);
    CHECK_STATUS((hw_status)(intptr_t)status, HW_E_HANDLE);
    /* The connection lives on without it. */
    CHECK_STATUS(hw_connection_send(receiver.connection, HW_TEXT, "into the void", 13, NULL, NULL), HW_OK);
    AWAIT(metrics_of(&receiver).messages_received == 101);
    receiver_close(&receiver);
}

TEST(paused_consumer_costs_no_heartbeat_and_no_message)
{
    enum { MESSAGES = 20000 };
    const char *properties[] = {"inbox.messages_max", "100", "ping.interval", "50ms", "ping.timeout", "3s", "ping.missed_max", "1", NULL};
    receiver receiver = receiver_open(server_url("ws", "/flood?n=%d&size=1000", MESSAGES), properties);
    /* Nothing is taken for longer than ping.timeout. Pings go on, and their unread answers are not held against the server. */
    AWAIT(metrics_of(&receiver).beats_sent >= 80);
    CHECK(metrics_of(&receiver).messages_received < MESSAGES);
    hw_delivery deliveries[TAKE_MAX];
    int messages = 0, paused = 0;
    while (messages < MESSAGES) {
        size_t count = take(receiver.inbox, deliveries);
        for (size_t i = 0; i < count; i++) {
            const hw_event *event = deliveries[i].event;
            if (event == NULL) {
                CHECK_EQUAL(deliveries[i].message.epoch, 1);
                CHECK_EQUAL(deliveries[i].message.size, 1000);
                messages++;
            } else {
                if (event->kind == HW_EVENT_CLOSED) FAIL("closed: %.*s", (int)event->text_size, event->text);
                if (event->kind == HW_EVENT_SLOW_CONSUMER) {
                    CHECK_EQUAL(event->count, 0);
                    paused++;
                }
            }
        }
    }
    CHECK(paused >= 1);
    CHECK_EQUAL(metrics_of(&receiver).messages_dropped, 0);
    CHECK_STATUS(hw_connection_send(receiver.connection, HW_TEXT, "still here", 10, NULL, NULL), HW_OK);
    int echoed = 0;
    while (!echoed) {
        size_t count = take(receiver.inbox, deliveries);
        for (size_t i = 0; i < count; i++) echoed = echoed || deliveries[i].message.size == 10;
    }
    receiver_close(&receiver);
}

/* Sends numbered messages that nobody takes, one by one so that each arrives by itself; then takes what is left of them. */
static size_t overflow(const char *policy, int sent, int *numbers, uint64_t *reported)
{
    const char *properties[] = {"inbox.messages_max", "10", "inbox.overflow", policy, NULL};
    receiver receiver = receiver_open(server_url("ws", "/echo"), properties);
    for (int i = 0; i < sent; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        CHECK_STATUS(hw_connection_send(receiver.connection, HW_TEXT, text, strlen(text), NULL, NULL), HW_OK);
        AWAIT(metrics_of(&receiver).messages_received == (uint64_t)i + 1);
    }
    size_t kept = 0;
    *reported = 0;
    hw_delivery deliveries[TAKE_MAX];
    size_t count;
    while (hw_inbox_take(receiver.inbox, deliveries, TAKE_MAX, &count, 0) == HW_OK)
        for (size_t i = 0; i < count; i++) {
            if (deliveries[i].event == NULL) {
                char text[16] = {0};
                memcpy(text, deliveries[i].message.data, deliveries[i].message.size);
                numbers[kept++] = atoi(text);
            } else if (deliveries[i].event->kind == HW_EVENT_SLOW_CONSUMER) {
                *reported += deliveries[i].event->count;
            }
        }
    CHECK_EQUAL(metrics_of(&receiver).messages_dropped, (uint64_t)sent - kept);
    receiver_close(&receiver);
    return kept;
}

TEST(full_inbox_may_drop_the_oldest)
{
    int numbers[100];
    uint64_t reported;
    size_t kept = overflow("drop_oldest", 100, numbers, &reported);
    CHECK(kept >= 5 && kept <= 11);
    for (size_t i = 0; i < kept; i++) CHECK_EQUAL(numbers[i], 100 - kept + i);
    CHECK(reported > 0);
}

TEST(full_inbox_may_drop_the_newest)
{
    int numbers[100];
    uint64_t reported;
    size_t kept = overflow("drop_newest", 100, numbers, &reported);
    CHECK(kept >= 5 && kept <= 11);
    for (size_t i = 0; i < kept; i++) CHECK_EQUAL(numbers[i], i);
    CHECK(reported > 0);
}

TEST(full_inbox_may_close_the_connection)
{
    const char *properties[] = {"inbox.messages_max", "10", "inbox.overflow", "close", "reconnect.enabled", "false", NULL};
    receiver receiver = receiver_open(server_url("ws", "/flood?n=10000&size=100&key=slow"), properties);
    AWAIT(hw_connection_state(receiver.connection) == HW_STATE_FAILED);
    hw_event closed = take_until(receiver.inbox, HW_EVENT_CLOSED);
    CHECK_STATUS(closed.status, HW_E_SLOW_CONSUMER);
    CHECK_EQUAL(closed.layer, HW_LAYER_DELIVERY);
    CHECK_EQUAL(closed.by_peer, 0);
    receiver_close(&receiver);
    check_seen_close("slow", 1008, "the receiver is too slow");
}

/* Waits for some pings, which go on while reading is paused. */
static uint64_t received_after_beats(receiver *receiver, uint64_t beats)
{
    uint64_t sent = metrics_of(receiver).beats_sent;
    AWAIT(metrics_of(receiver).beats_sent > sent + beats);
    return metrics_of(receiver).messages_received;
}

/*
 * Messages of a megabyte that deflate to a thousandth pile up in the socket while reading is paused: what is then read at once inflates to
 * some 16 MiB and not to 256.
 */
TEST(a_read_of_compressed_messages_does_not_fill_memory)
{
    const char *properties[] = {"compression", "on", "inbox.bytes_max", "1MiB", "ping.interval", "10ms", NULL};
    receiver receiver = receiver_open(server_url("ws", "/flood?n=500&size=1000000"), properties);
    AWAIT(metrics_of(&receiver).messages_received > 0);
    uint64_t before = received_after_beats(&receiver, 100);
    hw_delivery deliveries[TAKE_MAX];
    size_t count;
    CHECK_STATUS(hw_inbox_take(receiver.inbox, deliveries, TAKE_MAX, &count, 0), HW_OK);
    AWAIT(metrics_of(&receiver).messages_received > before);
    CHECK(received_after_beats(&receiver, 2) - before <= 20);
    receiver_close(&receiver);
}

/* Holds the first message's callback, while the flood behind it fills the inbox, for longer than ping.timeout. */
static void hold_until_pings_went_out(client *client, const record *latest)
{
    if (latest->is_event || client_message_count(client) != 1) return;
    AWAIT(client_metrics(client).beats_sent >= 80);
}

TEST(blocked_callback_pauses_reading_and_costs_nothing)
{
    client *client = client_new();
    client->hook = hold_until_pings_went_out;
    client_set(client, "inbox.messages_max", "100");
    client_set(client, "ping.interval", "50ms");
    client_set(client, "ping.timeout", "3s");
    client_set(client, "ping.missed_max", "1");
    client_open(client, server_url("ws", "/flood?n=5000&size=1000"));
    client_message(client, 4999);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
    CHECK_EQUAL(client_metrics(client).messages_dropped, 0);
    client_free(client);
}

TEST(reset_while_paused_waits_for_the_consumer_quietly)
{
    receiver receiver = receiver_open(server_url("raw", "/reset-after-burst?key=reset"), (const char *[]){"inbox.messages_max", "1", NULL});
    AWAIT(metrics_of(&receiver).messages_received == 10);
    CHECK_STATUS(hw_connection_send(receiver.connection, HW_TEXT, "now", 3, NULL, NULL), HW_OK);
    check_seen_close("reset", 1006, "reset");
    check_threads_rest();
    CHECK_EQUAL(hw_connection_state(receiver.connection), HW_STATE_CONNECTED);

    hw_event closed = take_until(receiver.inbox, HW_EVENT_CLOSED);
    CHECK_STATUS(closed.status, HW_E_CONNECTION_LOST);
    CHECK_EQUAL(closed.epoch, 1);
    receiver_close(&receiver);
}
