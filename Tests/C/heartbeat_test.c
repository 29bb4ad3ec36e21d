/* Pings, pongs and payload beats. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(servers_pings_are_answered)
{
    const char *servers[] = {"ws", "wss", "aiohttp"};
    for (size_t i = 0; i < 3; i++) {
        client *client = client_connected(server_url(servers[i], "/ping?interval_ms=5"));
        AWAIT(client_metrics(client).pongs_sent >= 20);
        client_send(client, "count");
        int pings = 0, pongs = 0;
        CHECK_EQUAL(sscanf(client_message(client, 0)->text, "{\"pings\": %d, \"pongs\": %d}", &pings, &pongs), 2);
        /* The pongs left before the question, so all of them had arrived when it did. */
        CHECK(pongs >= 20);
        client_free(client);
    }
}

TEST(own_pings_are_answered_and_measured)
{
    client *client = client_new();
    client_set(client, "ping.interval", "10ms");
    client_open(client, server_url("wss", "/echo"));
    client_state(client, HW_STATE_CONNECTED, 0);
    AWAIT(client_metrics(client).pongs_received >= 5);
    hw_metrics metrics = client_metrics(client);
    CHECK(metrics.beats_sent >= metrics.pongs_received);
    CHECK_EQUAL(metrics.beats_missed, 0);
    CHECK(metrics.rtt_last_ns > 0);
    CHECK(metrics.rtt_mean_ns > 0);
    client_free(client);
}

TEST(silence_is_noticed_and_the_connection_replaced)
{
    client *client = client_new();
    client_set(client, "ping.interval", "20ms");
    client_set(client, "ping.timeout", "20ms");
    client_set(client, "ping.missed_max", "3");
    client_open(client, server_url("raw", "/silent"));
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_STATUS(closed->event.status, HW_E_HEARTBEAT);
    CHECK_EQUAL(closed->event.layer, HW_LAYER_HEARTBEAT);
    CHECK_EQUAL(closed->event.close_code, 3008);
    CHECK_EQUAL(closed->event.by_peer, 0);
    for (size_t i = 0; i < 3; i++) CHECK_EQUAL(client_event(client, HW_EVENT_BEAT_MISSED, i)->event.count, i + 1);
    CHECK(client_metrics(client).beats_missed >= 3);
    CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, 1)->event.epoch, 2);
    client_free(client);
}

TEST(payload_beats_are_messages)
{
    client *client = client_new();
    client_set(client, "heartbeat.interval", "10ms");
    client_set(client, "heartbeat.text", "{\"op\":\"ping\"}");
    client_open(client, server_url("ws", "/echo"));
    for (size_t i = 0; i < 3; i++) {
        const record *beat = client_message(client, i);
        CHECK_EQUAL(beat->message.kind, HW_TEXT);
        CHECK_TEXT(beat->text, "{\"op\":\"ping\"}");
    }
    hw_metrics metrics = client_metrics(client);
    CHECK(metrics.beats_sent >= 3);
    CHECK(metrics.messages_sent >= 3);
    client_free(client);
}

TEST(payload_beats_may_be_binary)
{
    static const char payload[] = {0, (char)0xFF, 7};
    client *client = client_new();
    client_set(client, "heartbeat.interval", "10ms");
    CHECK_STATUS(hw_config_set_bytes(client->config, "heartbeat.binary", payload, sizeof payload, NULL), HW_OK);
    client_open(client, server_url("ws", "/echo"));
    const record *beat = client_message(client, 0);
    CHECK_EQUAL(beat->message.kind, HW_BINARY);
    CHECK_EQUAL(beat->message.size, sizeof payload);
    CHECK(memcmp(beat->message.data, payload, sizeof payload) == 0);
    client_free(client);
}

TEST(heartbeat_properties_must_fit_together)
{
    static const struct {
        const char *interval, *text, *binary;
    } cases[] = {{"1s", NULL, NULL}, {NULL, "beat", NULL}, {NULL, NULL, "beat"}, {"1s", "beat", "beat"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        if (cases[i].interval != NULL) client_set(client, "heartbeat.interval", cases[i].interval);
        if (cases[i].text != NULL) client_set(client, "heartbeat.text", cases[i].text);
        if (cases[i].binary != NULL)
            CHECK_STATUS(hw_config_set_bytes(client->config, "heartbeat.binary", cases[i].binary, 4, NULL), HW_OK);
        hw_error error = NEW_ERROR;
        hw_connection *connection = NULL;
        CHECK_STATUS(hw_connection_open(client->config, server_url("ws", "/echo"), &connection, &error), HW_E_CONFLICT);
        CHECK_CONTAINS(error.message, "heartbeat");
        client_free(client);
    }
}

/* Holds the callback of the first message until the server has had twenty pings answered. */
static void hold_until_pongs_went_out(client *client, const record *latest)
{
    if (latest->is_event || client_message_count(client) != 1) return;
    AWAIT(client_metrics(client).pongs_sent >= 20);
    AWAIT(client_metrics(client).pongs_received >= 5);
}

TEST(blocked_callback_delays_no_heartbeat)
{
    client *client = client_new();
    client->hook = hold_until_pongs_went_out;
    client_set(client, "ping.interval", "10ms");
    client_open(client, server_url("ws", "/ping?interval_ms=5"));
    client_state(client, HW_STATE_CONNECTED, 0);
    client_send(client, "count");
    client_message(client, 0);
    client_send(client, "count");
    client_message(client, 1);
    CHECK_EQUAL(client_metrics(client).beats_missed, 0);
    client_free(client);
}
