/* Rules on a live connection: what is answered, sent, learned and acknowledged. */
#include "client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PONG_TO_PING "{\"reply\":[{\"on\":{\"has\":[\"/ping\"]},\"take\":{\"n\":\"/ping\"},\"send\":{\"body\":\"{\\\"pong\\\":${n}}\"}}]}"

TEST(captures_are_answered_as_they_came)
{
    client *client = client_new();
    client_rule(client, PONG_TO_PING);
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!text {\"ping\":1.50}");
    client_send(client, "!text { \"ping\" : \"a\\\"b\" }");
    client_send(client, "!text {\"ping\":9223372036854775808}");
    client_send(client, "!text {\"ping\":1}garbage");
    client_send(client, "!text {\"pong\":1}");
    client_send(client, "!text {\"p\\u0069ng\":null}");
    client_message(client, 5);
    CHECK_TEXT(client_frames_seen(client),
               "1 {\"pong\":1.50}\n1 {\"pong\":\"a\\\"b\"}\n1 {\"pong\":9223372036854775808}\n1 {\"pong\":null}");
    const record *responded = client_named_event(client, HW_EVENT_HEARTBEAT_RESPONDED, "reply 0", 3);
    CHECK_EQUAL(responded->event.rule, 0);
    const record *received = client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "reply 0", 0);
    CHECK_TEXT((const char *)received->event.body, "{\"ping\":1.50}");
    CHECK_EQUAL(received->event.body_size, strlen("{\"ping\":1.50}"));
    client_free(client);
}

/* Many requests that arrive at once are all answered, though only so many answers can wait to be written at a time. */
TEST(a_burst_of_requests_is_answered_whole)
{
    enum { REQUESTS = 3000 };
    client *client = client_new();
    client_rule(client, "{\"reply\":[{\"on\":{\"op\":\"any\",\"len\":100},\"send\":{\"body\":\"got it\"}}]}");
    client_open(client, server_url("ws", "/flood?n=%d&size=100", REQUESTS));
    AWAIT(client_health(client).heartbeats_answered + client_health(client).heartbeats_failed >= REQUESTS);
    CHECK_EQUAL(client_health(client).heartbeats_failed, 0);
    CHECK_EQUAL(client_health(client).heartbeats_answered, REQUESTS);
    client_free(client);
}

TEST(evidence_is_cut_at_128_bytes)
{
    char command[300] = "!text {\"ping\":\"";
    memset(command + strlen(command), 'x', 200);
    strcat(command, "\"}");
    client *client = client_new();
    client_rule(client, PONG_TO_PING);
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, command);
    CHECK_EQUAL(client_event(client, HW_EVENT_HEARTBEAT_RECEIVED, 0)->event.body_size, 128);
    client_free(client);
}

static const char test_request[] = "!text {\"method\":\"heartbeat\",\"params\":{\"type\":\"test_request\"}}";

static const char *answered_beside_deribit(client *client)
{
    client_set(client, "preset", "deribit");
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, test_request);
    client_message(client, 0);
    return client_frames_seen(client);
}

TEST(own_rules_come_before_those_of_the_preset)
{
    client *alone = client_new(), *first = client_new(), *instead = client_new();
    CHECK_CONTAINS(answered_beside_deribit(alone), "\"public/test\"");
    client_rule(first, "{\"reply\":[{\"on\":{\"json\":{\"/params/type\":\"test_request\"}},\"send\":{\"body\":\"mine\"}}]}");
    const char *seen = answered_beside_deribit(first);
    CHECK_CONTAINS(seen, "1 mine");
    CHECK(strstr(seen, "\"public/test\"") == NULL);
    client_rule(instead, "{\"replace\":[\"reply\"]}");
    CHECK(strstr(answered_beside_deribit(instead), "\"public/test\"") == NULL);
    CHECK_TEXT(client_event(alone, HW_EVENT_ENGINE_STARTED, 0)->text, "deribit");
    client_free(alone);
    client_free(first);
    client_free(instead);
}

TEST(copies_keep_the_rules_they_had)
{
    client *client = client_new();
    client_rule(client, "{\"setup\":[{\"on\":\"open\",\"send\":{\"body\":\"one\"}}]}");
    hw_config *copy = NULL;
    CHECK_STATUS(hw_config_copy(client->config, &copy), HW_OK);
    client_rule(client, "{\"setup\":[{\"on\":\"open\",\"send\":{\"body\":\"two\"}}]}");
    hw_config_free(client->config);
    client->config = copy;
    client_connect(client, server_url("raw", "/obey"));
    CHECK_TEXT(client_frames_seen(client), "1 one");
    client_free(client);
}

TEST(rules_are_set_up_and_learn_anew_on_each_connection)
{
    client *client = client_new();
    client_rule(client, "{\"setup\":[{\"on\":\"open\",\"send\":{\"body\":\"hello\"}},"
                        "{\"on\":{\"has\":[\"/every\"]},\"send\":{\"body\":\"ready\"}}],"
                        "\"learn\":[{\"on\":{\"has\":[\"/every\"]},\"path\":\"/every\",\"var\":\"every\"}],"
                        "\"beat\":[{\"every\":{\"var\":\"every\",\"unit\":\"ms\"},"
                        "\"send\":{\"body\":\"!text tick ${counter} ${last.every}\"}}]}");
    client_connect(client, server_url("raw", "/obey"));
    CHECK_TEXT(client_frames_seen(client), "1 hello");
    client_send(client, "!text {\"every\":10}");
    CHECK_TEXT(client_message(client, 2)->text, "tick 1 10");
    CHECK_TEXT(client_message(client, 3)->text, "tick 2 10");
    client_send(client, "!text {\"every\":null}");
    CHECK_CONTAINS(client_frames_seen(client), "1 hello\n1 ready");
    client_send(client, "!drop");
    client_event(client, HW_EVENT_OPENED, 1);
    /* No tick comes until the second connection has learned too. */
    size_t before = client_message_count(client);
    CHECK_TEXT(client_frames_seen(client), "1 hello");
    client_send(client, "!text {\"every\":\"20\"}");
    CHECK_TEXT(client_message(client, before + 2)->text, "tick 1 \"20\"");
    client_free(client);
}

TEST(acks_are_told_apart_by_their_number)
{
    client *client = client_new();
    client_rule(client, "{\"beat\":[{\"every\":\"10ms\",\"send\":{\"body\":\"!text {\\\"id\\\":\\\"${counter}\\\"}\"},"
                        "\"ack\":{\"on\":{\"has\":[\"/id\"]},\"equal\":{\"/id\":\"counter\"},\"within\":\"20s\"}}]}");
    client_set(client, "preset.parameters", "counter=41");
    client_set(client, "ping.interval", "0");
    client_connect(client, server_url("raw", "/obey"));
    CHECK_TEXT(client_message(client, 0)->text, "{\"id\":\"41\"}");
    CHECK_TEXT(client_message(client, 1)->text, "{\"id\":\"42\"}");
    for (size_t i = 0; i < 2; i++) {
        const record *acked = client_named_event(client, HW_EVENT_BEAT_ACKED, "beat 0", i);
        CHECK_EQUAL(acked->event.rule, 0);
        CHECK_EQUAL(acked->event.late, 0);
        CHECK(acked->event.latency_ns > 0);
    }
    CHECK_CONTAINS((const char *)client_named_event(client, HW_EVENT_BEAT_SENT, "beat 0", 0)->event.body, "\"41\"");
    client_send(client, "!text {\"id\":999}");
    AWAIT(client_health(client).beats_acked >= 5);
    CHECK_EQUAL(client_health(client).beats_late, 0);
    CHECK_EQUAL(client_metrics(client).beats_missed, 0);
    client_free(client);
}

TEST(an_ack_may_come_late)
{
    client *client = client_new();
    client_rule(client, "{\"beat\":[{\"every\":\"20s\",\"first\":\"now\",\"send\":{\"body\":\"beat\"},"
                        "\"ack\":{\"on\":{\"eq\":\"ack\"},\"within\":\"1ms\"}}]}");
    client_connect(client, server_url("raw", "/obey"));
    const record *missed = client_named_event(client, HW_EVENT_BEAT_MISSED, "beat 0", 0);
    CHECK_EQUAL(missed->event.count, 1);
    CHECK_TEXT((const char *)missed->event.body, "beat");
    client_send(client, "!text ack");
    const record *acked = client_named_event(client, HW_EVENT_BEAT_ACKED, "beat 0", 0);
    CHECK_EQUAL(acked->event.late, 1);
    CHECK(acked->event.latency_ns >= 1000000);
    AWAIT(client_health(client).beats_late == 1);
    client_send(client, "!text ack");
    client_message(client, 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_BEAT_ACKED), 1);
    client_free(client);
}

TEST(beats_that_nobody_acknowledges_end_the_connection)
{
    client *client = client_new();
    client_rule(client, "{\"beat\":[{\"every\":\"10ms\",\"send\":{\"body\":\"beat\"},"
                        "\"ack\":{\"on\":{\"eq\":\"ack\"},\"within\":\"5ms\"}}]}");
    client_set(client, "heartbeat.failure_threshold", "3");
    client_set(client, "heartbeat.on_failure", "fail");
    client_open(client, server_url("raw", "/obey?key=beats-missed"));
    for (size_t i = 0; i < 3; i++) CHECK_EQUAL(client_named_event(client, HW_EVENT_BEAT_MISSED, "beat 0", i)->event.count, i + 1);
    check_seen_close("beats-missed", 3008, "heartbeat timeout");
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_HEARTBEAT);
    client_event(client, HW_EVENT_ENGINE_STOPPED, 0);
    client_free(client);
}

TEST(a_miss_before_the_next_beat_may_end_the_connection_at_once)
{
    client *client = client_new();
    client_rule(client, "{\"beat\":[{\"every\":\"10ms\",\"send\":{\"body\":\"beat\"},\"on_miss\":\"close\","
                        "\"ack\":{\"on\":{\"eq\":\"ack\"},\"within\":\"next_beat\"}}]}");
    client_set(client, "heartbeat.on_failure", "fail");
    client_open(client, server_url("raw", "/obey"));
    CHECK_CONTAINS(client_state(client, HW_STATE_FAILED, 0)->text, "beat 0 was not acknowledged in time, and its rule ends the connection");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_BEAT_SENT), 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_BEAT_MISSED), 1);
    client_free(client);
}

static const char gzipped_ping[] = "!hex 1f8b0800000000000203ab562ac8cc4b57b232b43032343235b5303030a8050053a1303f14000000";

TEST(compressed_requests_are_understood_and_left_alone)
{
    client *client = client_new();
    client_rule(client, "{\"frame\":{\"decode\":[\"gzip\"]},\"reply\":[{\"on\":{\"op\":\"binary\",\"has\":[\"/ping\"]},"
                        "\"take\":{\"n\":\"/ping\"},\"send\":{\"body\":\"{\\\"pong\\\":${n}}\"}}]}");
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, gzipped_ping);
    client_send(client, "!hex 1f8b0800");
    client_send(client, "!hex 7b2270696e67223a317d");
    const record *message = client_message(client, 0);
    CHECK_EQUAL(message->message.kind, HW_BINARY);
    CHECK_EQUAL(message->message.data[0], 0x1F);
    CHECK_EQUAL(message->message.size, (strlen(gzipped_ping) - strlen("!hex ")) / 2);
    client_message(client, 2);
    CHECK_TEXT(client_frames_seen(client), "1 {\"pong\":18212558000}");
    client_free(client);
}

TEST(beats_may_be_compressed)
{
    client *client = client_new();
    client_rule(client, "{\"beat\":[{\"every\":\"20s\",\"first\":\"now\",\"send\":{\"op\":\"binary\",\"encode\":[\"gzip\"],"
                        "\"body\":\"{\\\"ping\\\":${counter}}\"}}]}");
    client_connect(client, server_url("raw", "/obey"));
    client_event(client, HW_EVENT_BEAT_SENT, 0);
    CHECK_TEXT(client_frames_seen(client), "2 gzip {\"ping\":1}");
    client_free(client);
}

TEST(heartbeats_can_be_kept_from_the_application)
{
    client *client = client_new();
    client_rule(client, PONG_TO_PING);
    client_rule(client, "{\"watch\":[{\"on\":{\"eq\":\"h\"},\"within\":\"20s\"}]}");
    client_set(client, "heartbeat.consume", "true");
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!text before");
    client_send(client, "!text {\"ping\":1}");
    client_send(client, "!text h");
    client_send(client, "!text {\"ping\":");
    client_send(client, "!text after");
    CHECK_TEXT(client_message(client, 0)->text, "before");
    CHECK_TEXT(client_message(client, 1)->text, "{\"ping\":");
    CHECK_TEXT(client_message(client, 2)->text, "after");
    CHECK_TEXT(client_frames_seen(client), "1 {\"pong\":1}");
    CHECK_EQUAL(client_health(client).heartbeats_received, 2);
    client_free(client);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* No message may have come, or left, within an interval before a beat. */
TEST(idle_beats_wait_for_silence_both_ways)
{
    enum { INTERVAL_NS = 20000000, ROUNDS = 5 };
    client *client = client_new();
    client_set(client, "heartbeat.interval", "20ms");
    client_set(client, "heartbeat.text", "!text echo");
    client_set(client, "heartbeat.when", "idle_any");
    client_connect(client, server_url("raw", "/obey"));
    for (size_t i = 0; i < ROUNDS; i++) {
        client_event(client, HW_EVENT_BEAT_SENT, i);
        uint64_t before = now_ns();
        client_send(client, "!text sent");
        uint64_t after = now_ns(), next = client_event(client, HW_EVENT_BEAT_SENT, i + 1)->event.time_ns;
        if (next > after) CHECK(next >= before + INTERVAL_NS);
        for (size_t k = 0; k < client_message_count(client); k++) {
            uint64_t arrived = client_message(client, k)->message.received_ns;
            if (arrived < next) CHECK(next >= arrived + INTERVAL_NS);
        }
    }
    client_free(client);
}
