/* Connections that drop, and what becomes of the messages meanwhile. */
#include "client.h"

#include <stdio.h>
#include <string.h>

/* Sends on the first connection, which drops; what is queued while it is down arrives on the second. */
static void drop_and_recover(const char *server)
{
    client *client = client_new();
    /* Long enough to queue a message while there is no connection, whatever the machine does. */
    client_set(client, "reconnect.base", "300ms");
    client_set(client, "reconnect.cap", "300ms");
    client_open(client, server_url(server, "/drop-once?key=recover-%s", server));
    client_state(client, HW_STATE_CONNECTED, 0);
    client_send(client, "dropped");
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.close_code, 1006);
    CHECK_EQUAL(closed->event.by_peer, 0);
    CHECK_STATUS(closed->event.status, HW_E_CONNECTION_LOST);
    CHECK_EQUAL(closed->event.epoch, 1);
    CHECK_STATUS(client_state(client, HW_STATE_RECONNECTING, 0)->event.status, HW_E_CONNECTION_LOST);

    client_send(client, "queued, first");
    client_send(client, "queued, second");
    CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, 1)->event.epoch, 2);
    CHECK_TEXT(client_message(client, 0)->text, "queued, first");
    CHECK_TEXT(client_message(client, 1)->text, "queued, second");
    CHECK_EQUAL(client_message(client, 1)->message.epoch, 2);
    CHECK_EQUAL(client_metrics(client).reconnections, 1);
    client_free(client);
}

TEST(dropped_connection_is_replaced_ws)
{
    drop_and_recover("ws");
}

TEST(dropped_connection_is_replaced_wss)
{
    drop_and_recover("wss");
}

TEST(dropped_connection_is_replaced_aiohttp)
{
    drop_and_recover("aiohttp");
}

TEST(messages_sent_before_the_connection_is_open_arrive_in_order)
{
    client *client = client_new();
    client_open(client, server_url("wss", "/echo"));
    char text[32];
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "early %d", i);
        client_send(client, text);
    }
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "early %d", i);
        CHECK_TEXT(client_message(client, (size_t)i)->text, text);
    }
    client_free(client);
}

TEST(without_reconnection_a_lost_connection_fails)
{
    client *client = client_new();
    client_set(client, "reconnect.enabled", "false");
    client_open(client, server_url("ws", "/abort"));
    client_send(client, "now");
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_CONNECTION_LOST);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_OPENED), 1);
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "late", 4, NULL, NULL), HW_E_STATE);
    client_free(client);
}

TEST(attempts_are_counted_from_the_last_established_connection)
{
    client *client = client_new();
    /* A 503 asks for the time of a restart. */
    client_set(client, "reconnect.retry_after_max", "10ms");
    client_open(client, server_url("raw", "/accept-then-refuse?key=counted"));
    client_event(client, HW_EVENT_OPENED, 0);
    for (size_t i = 0; i < 3; i++) {
        const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, i);
        CHECK_STATUS(failed->event.status, HW_E_HTTP_STATUS);
        CHECK_EQUAL(failed->event.epoch, 1);
        CHECK_EQUAL(failed->event.attempt, i + 1);
    }
    client_free(client);
}

TEST(states_follow_each_other)
{
    client *client = client_new();
    client_open(client, server_url("ws", "/drop-once?key=states"));
    client_send(client, "drop");
    client_state(client, HW_STATE_CONNECTED, 1);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    const hw_state expected[] = {HW_STATE_CONNECTING,   HW_STATE_CONNECTED, HW_STATE_RECONNECTING,
                                 HW_STATE_CONNECTED,    HW_STATE_CLOSING,   HW_STATE_DISCONNECTED};
    hw_state previous = HW_STATE_DISCONNECTED;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const record *change = client_event(client, HW_EVENT_STATE, i);
        CHECK_EQUAL(change->event.previous_state, previous);
        CHECK_EQUAL(change->event.state, expected[i]);
        previous = change->event.state;
    }
    client_free(client);
}

TEST(wait_tells_how_the_connection_fares)
{
    hw_error error = NEW_ERROR;
    client *stalled = client_new();
    client_open(stalled, server_url("raw", "/no-answer"));
    CHECK_STATUS(hw_connection_wait(stalled->connection, HW_STATE_CONNECTED, 50, &error), HW_E_TIMEOUT);
    CHECK_EQUAL(error.status, HW_E_TIMEOUT);
    CHECK_STATUS(hw_connection_wait(stalled->connection, HW_STATE_CONNECTING, 0, NULL), HW_OK);
    CHECK_STATUS(hw_connection_wait(stalled->connection, 99, 0, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_wait(stalled->connection, -1, 0, NULL), HW_E_ARGUMENT);
    client_free(stalled);

    client *refused = client_new();
    client_open(refused, server_url("ws", "/status?code=403"));
    CHECK_STATUS(hw_connection_wait(refused->connection, HW_STATE_CONNECTED, PATIENCE_MS, &error), HW_E_STATE);
    CHECK_EQUAL(error.http_status, 403);
    CHECK_CONTAINS(error.message, "403");
    CHECK_STATUS(hw_connection_wait(refused->connection, HW_STATE_FAILED, PATIENCE_MS, NULL), HW_OK);
    client_free(refused);

    client *retrying = client_new();
    client_open(retrying, server_url("refused", "/"));
    client_event(retrying, HW_EVENT_ATTEMPT_FAILED, 1);
    CHECK_STATUS(hw_connection_wait(retrying->connection, HW_STATE_CONNECTED, 10, &error), HW_E_TIMEOUT);
    CHECK_CONTAINS(error.message, "refused");
    client_free(retrying);
}

static void *wait_for_connected(void *connection)
{
    return (void *)(intptr_t)hw_connection_wait(connection, HW_STATE_CONNECTED, PATIENCE_MS, NULL);
}

TEST(wait_ends_when_the_handle_is_released)
{
    client *client = client_new();
    client_open(client, server_url("raw", "/no-answer"));
    pthread_t waiting;
    CHECK_EQUAL(pthread_create(&waiting, NULL, wait_for_connected, client->connection), 0);
    client_state(client, HW_STATE_CONNECTING, 0);
    hw_connection_release(client->connection);
    void *status;
    pthread_join(waiting, &status);
    CHECK_STATUS((hw_status)(intptr_t)status, HW_E_HANDLE);
    client_free(client);
}
