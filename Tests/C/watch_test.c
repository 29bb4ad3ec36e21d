/* Watches: what happens when the server falls silent, and what counts as a sign of life. */
#include "client.h"

#include <string.h>

#define WATCH(more) "{\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"30ms\"" more "}]}"
/* Where something must come in time, be it the answer to a probe. */
#define PATIENT_WATCH "{\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"1s\"}]}"
/* The server chats without pause, but that is not what the watch expects. */
#define CHAT "{\"beat\":[{\"every\":\"5ms\",\"send\":{\"body\":\"!text chat\"}}]}"

static client *new_client(const char *rule)
{
    client *client = client_new();
    client_rule(client, rule);
    client_set(client, "ping.interval", "0");
    client_set(client, "heartbeat.on_failure", "fail");
    return client;
}

static void check_ended_in_silence(client *client)
{
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_STATUS(closed->event.status, HW_E_HEARTBEAT);
    CHECK_EQUAL(closed->event.close_code, 3008);
    CHECK_EQUAL(closed->event.by_peer, 0);
    CHECK_TEXT(closed->text, "nothing that watch 0 expects arrived in its time, nor any other sign of life");
    client_state(client, HW_STATE_FAILED, 0);
}

/* It stays connected though the watch expires again and again. */
static void check_goes_on(client *client)
{
    client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", 2);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
}

TEST(what_comes_in_time_is_reported)
{
    client *client = new_client("{\"beat\":[{\"every\":\"5ms\",\"send\":{\"body\":\"!text tick\"}}],"
                                "\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"20s\"}]}");
    client_connect(client, server_url("raw", "/obey"));
    const record *seen = client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "watch 0", 2);
    CHECK_EQUAL(seen->event.rule, 0);
    CHECK_TEXT((const char *)seen->event.body, "tick");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_HEARTBEAT_TIMEOUT), 0);
    hw_health health = client_health(client);
    CHECK_EQUAL(health.health, HW_HEALTH_HEALTHY);
    CHECK(health.silent_ns <= health.data_silent_ns);
    client_free(client);
}

TEST(an_answered_probe_saves_the_connection)
{
    client *client = new_client(PATIENT_WATCH);
    client_connect(client, server_url("raw", "/obey"));
    for (size_t i = 0; i < 3; i++) CHECK(client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", i)->event.count > i);
    client_named_event(client, HW_EVENT_BEAT_SENT, "ping", 0);
    CHECK_CONTAINS(client_frames_seen(client), "9 ");
    check_goes_on(client);
    client_free(client);
}

TEST(an_unanswered_probe_ends_it)
{
    client *client = new_client(PATIENT_WATCH);
    client_open(client, server_url("raw", "/obey?mute&key=watch-probe"));
    check_ended_in_silence(client);
    check_seen_close("watch-probe", 3008, "heartbeat timeout");
    CHECK_EQUAL(client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", 0)->event.count, 1);
    CHECK(client_event_count(client, HW_EVENT_BEAT_SENT) >= 1);
    client_free(client);
}

TEST(a_dead_connection_is_replaced)
{
    client *client = new_client(WATCH(""));
    client_set(client, "heartbeat.on_failure", "reconnect");
    client_open(client, server_url("raw", "/obey?mute"));
    CHECK_STATUS(client_event(client, HW_EVENT_CLOSED, 0)->event.status, HW_E_HEARTBEAT);
    CHECK_EQUAL(client_event(client, HW_EVENT_ENGINE_STOPPED, 0)->event.epoch, 1);
    CHECK_EQUAL(client_event(client, HW_EVENT_ENGINE_STARTED, 1)->event.epoch, 2);
    client_free(client);
}

TEST(any_received_byte_is_a_sign_of_life_by_default)
{
    client *client = new_client(PATIENT_WATCH);
    client_rule(client, CHAT);
    client_connect(client, server_url("raw", "/obey?mute"));
    check_goes_on(client);
    client_free(client);
}

TEST(only_pongs_may_count)
{
    client *client = new_client(PATIENT_WATCH);
    client_rule(client, CHAT);
    client_set(client, "liveness", "pong");
    client_open(client, server_url("raw", "/obey?mute"));
    check_ended_in_silence(client);
    CHECK(client_message_count(client) > 0);
    client_free(client);
}

TEST(only_data_may_count)
{
    client *client = new_client(PATIENT_WATCH);
    client_rule(client, CHAT);
    client_set(client, "liveness", "data");
    client_open(client, server_url("raw", "/obey"));
    check_ended_in_silence(client);
    CHECK(client_message_count(client) > 0);
    client_free(client);
}

TEST(another_watch_is_data_too)
{
    client *client = new_client(PATIENT_WATCH);
    client_rule(client, CHAT);
    client_rule(client, "{\"watch\":[{\"on\":{\"eq\":\"chat\"},\"within\":\"20s\"}]}");
    client_set(client, "liveness", "data");
    client_connect(client, server_url("raw", "/obey?mute"));
    check_goes_on(client);
    client_free(client);
}

TEST(silence_may_close_at_once)
{
    client *client = new_client(WATCH(""));
    client_set(client, "watch.on_silence", "close");
    client_open(client, server_url("raw", "/obey?key=watch-close"));
    check_ended_in_silence(client);
    check_seen_close("watch-close", 3008, "heartbeat timeout");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_BEAT_SENT), 0);
    client_free(client);
}

TEST(silence_may_be_reported_only)
{
    client *client = new_client(WATCH(""));
    client_set(client, "watch.on_silence", "report");
    client_connect(client, server_url("raw", "/obey?mute"));
    check_goes_on(client);
    CHECK_TEXT(client_frames_seen(client), "");
    client_free(client);
}

TEST(a_probe_may_be_a_beat)
{
    client *client = new_client("{\"beat\":[{\"every\":\"20s\",\"send\":{\"body\":\"!text tick\"}}],"
                                "\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"1s\",\"probe\":\"beat\"}]}");
    client_connect(client, server_url("raw", "/obey?mute"));
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQUAL(client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", i)->event.rule, 0);
        client_named_event(client, HW_EVENT_BEAT_SENT, "beat 0", i);
        client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "watch 0", i);
    }
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
    client_free(client);
}

TEST(a_watch_without_probe_does_not_ask)
{
    client *client = new_client(WATCH(",\"probe\":\"none\""));
    client_open(client, server_url("raw", "/obey"));
    check_ended_in_silence(client);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_BEAT_SENT), 0);
    client_free(client);
}

TEST(a_watch_may_wait_for_its_first_heartbeat)
{
    client *client = new_client("{\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"30ms\",\"start\":\"first\"},"
                                "{\"on\":{\"eq\":\"tock\"},\"within\":\"30ms\"}]}");
    client_set(client, "watch.on_silence", "report");
    client_connect(client, server_url("raw", "/obey"));
    client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 1", 2);
    client_send(client, "!text tick");
    client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", 0);
    const record *first = client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "watch 0", 0);
    CHECK(client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", 0)->event.time_ns >= first->event.time_ns + 30000000);
    client_free(client);
}

TEST(where_sending_is_forbidden_only_pongs_are_sent)
{
    client *client = client_new();
    client_set(client, "preset", "twitch-eventsub");
    client_set(client, "watch.on_silence", "report");
    client_connect(client, server_url("raw", "/obey?tell&ping=there&key=forbidden&first=%s",
                                      "%7B%22metadata%22:%7B%22message_type%22:%22session_welcome%22%7D,%22payload%22:%7B%22session%22:%7B"
                                      "%22keepalive_timeout_seconds%22:0.02%7D%7D%7D"));
    CHECK_TEXT(client_message(client, 1)->text, "frames\n10 there");
    client_named_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, "watch 0", 3);
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_SEND_FORBIDDEN);
    hw_reply reply = {.struct_size = sizeof reply, .kind = HW_TEXT, .data = "x", .size = 1, .received_ns = 1, .epoch = 1};
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_ANSWER, &reply), HW_E_SEND_FORBIDDEN);
    CHECK_EQUAL(client_metrics(client).beats_sent, 0);
    CHECK_EQUAL(client_metrics(client).messages_sent, 0);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, "bye"), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_CONTAINS(client_message(client, 2)->text, "frames\n10 there\n8 ");
    check_seen_close("forbidden", 1000, "bye");
    client_free(client);
}

TEST(a_forbidding_service_that_falls_silent_is_left_without_a_word)
{
    client *client = client_new();
    client_set(client, "preset", "twitch-eventsub");
    client_set(client, "heartbeat.on_failure", "fail");
    client_open(client, server_url("raw", "/obey?tell&key=forbidden-silent&first=%s",
                                   "%7B%22metadata%22:%7B%22message_type%22:%22session_welcome%22%7D,%22payload%22:%7B%22session%22:%7B"
                                   "%22keepalive_timeout_seconds%22:0.02%7D%7D%7D"));
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_HEARTBEAT);
    CHECK_EQUAL(client_metrics(client).beats_sent, 0);
    check_seen_close("forbidden-silent", 3008, "heartbeat timeout");
    client_free(client);
}
