/* Sending: from many threads, into a full queue, in the wrong state. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, PER_THREAD = 500 };

typedef struct {
    client *client;
    int number;
} sender;

static void *send_numbered(void *context)
{
    sender *sender = context;
    for (int i = 0; i < PER_THREAD; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d %d", sender->number, i);
        client_send(sender->client, text);
    }
    return NULL;
}

static void send_from_many_threads(const char *server)
{
    client *client = client_connected(server_url(server, "/echo"));
    pthread_t threads[THREADS];
    sender senders[THREADS];
    for (int t = 0; t < THREADS; t++) {
        senders[t] = (sender){client, t};
        CHECK_EQUAL(pthread_create(&threads[t], NULL, send_numbered, &senders[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);

    client_message(client, THREADS * PER_THREAD - 1);
    int next[THREADS] = {0};
    for (size_t i = 0; i < client->count; i++) {
        if (client->records[i]->is_event) continue;
        int thread, number;
        CHECK_EQUAL(sscanf(client->records[i]->text, "%d %d", &thread, &number), 2);
        CHECK(thread >= 0 && thread < THREADS);
        CHECK_EQUAL(number, next[thread]++);
    }
    for (int t = 0; t < THREADS; t++) CHECK_EQUAL(next[t], PER_THREAD);
    client_free(client);
}

TEST(threads_may_send_at_once_over_ws)
{
    send_from_many_threads("ws");
}

TEST(threads_may_send_at_once_over_wss)
{
    send_from_many_threads("wss");
}

TEST(queue_has_its_limits)
{
    char payload[2048];
    memset(payload, 'x', sizeof payload);
    client *client = client_new();
    client_set(client, "queue.messages_max", "3");
    client_set(client, "queue.bytes_max", "1KiB");
    client_open(client, server_url("refused", "/"));
    hw_connection *connection = client->connection;
    uint64_t id = 0;
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 1025, NULL, &id), HW_E_TOO_LARGE);
    CHECK_EQUAL(id, 0);
    /* What is too large is not read at all. */
    payload[0] = '\xFF';
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 1025, NULL, NULL), HW_E_TOO_LARGE);
    payload[0] = 'x';
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 600, NULL, &id), HW_OK);
    CHECK_EQUAL(id, 1);
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 600, NULL, NULL), HW_E_FULL);
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 10, NULL, NULL), HW_OK);
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 10, NULL, &id), HW_OK);
    CHECK_EQUAL(id, 3);
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, 10, NULL, NULL), HW_E_FULL);
    CHECK_EQUAL(client_metrics(client).queue_messages, 3);
    client_free(client);
}

TEST(full_queue_tells_when_it_is_writable)
{
    enum { SIZE = 65536 };
    char *payload = malloc(SIZE);
    memset(payload, 'x', SIZE);
    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_set(config, "queue.messages_max", "10", NULL), HW_OK);
    CHECK_STATUS(hw_config_set(config, "inbox.messages_max", "2", NULL), HW_OK);
    CHECK_STATUS(hw_inbox_new(config, &inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_OK);

    /* Echoes that nobody takes stop the reading, then the server, and at last the sending. */
    hw_status status = HW_OK;
    size_t sent = 0;
    hw_metrics metrics = {.struct_size = sizeof metrics};
    for (test_patience patience = test_patience_start(); metrics.queue_messages < 10;) {
        while ((status = hw_connection_send(connection, HW_TEXT, payload, SIZE, NULL, NULL)) == HW_OK) sent++;
        CHECK_STATUS(status, HW_E_FULL);
        if (!test_patience_left(&patience)) FAIL("the queue never stayed full");
        size_t before = metrics.messages_sent;
        CHECK_STATUS(hw_connection_metrics(connection, &metrics), HW_OK);
        if (metrics.messages_sent != before) metrics.queue_messages = 0;
    }

    /* Taking sets all of it in motion again. */
    hw_delivery deliveries[16];
    size_t count = 0, received = 0, writable = 0;
    while (received < sent || writable == 0) {
        CHECK_STATUS(hw_inbox_take(inbox, deliveries, 16, &count, PATIENCE_MS), HW_OK);
        for (size_t i = 0; i < count; i++) {
            if (deliveries[i].event == NULL)
                received++;
            else
                writable += deliveries[i].event->kind == HW_EVENT_WRITABLE;
        }
    }
    CHECK_EQUAL(received, sent);
    CHECK_STATUS(hw_connection_send(connection, HW_TEXT, payload, SIZE, NULL, NULL), HW_OK);
    hw_connection_release(connection);
    hw_inbox_release(inbox);
    hw_config_free(config);
    free(payload);
}

TEST(nothing_is_sent_after_close_or_failure)
{
    client *closed = client_connected(server_url("ws", "/echo"));
    CHECK_STATUS(hw_connection_close(closed->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(hw_connection_send(closed->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_STATE);
    client_state(closed, HW_STATE_DISCONNECTED, 0);
    CHECK_STATUS(hw_connection_send(closed->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_STATE);
    client_free(closed);

    client *failed = client_new();
    client_open(failed, server_url("ws", "/status?code=403"));
    client_state(failed, HW_STATE_FAILED, 0);
    CHECK_STATUS(hw_connection_send(failed->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_STATE);
    client_free(failed);
}

TEST(text_must_be_utf8)
{
    static const char *const texts[] = {"\xFF", "caf\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"};
    client *client = client_connected(server_url("ws", "/echo"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, texts[i], strlen(texts[i]), NULL, NULL), HW_E_UTF8);
        CHECK_STATUS(hw_connection_send(client->connection, HW_BINARY, texts[i], strlen(texts[i]), NULL, NULL), HW_OK);
    }
    client_send(client, "\xF4\x8F\xBF\xBF");
    CHECK_TEXT(client_message(client, 6)->text, "\xF4\x8F\xBF\xBF");
    client_free(client);
}
