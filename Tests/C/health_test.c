/* Health, quality, latency and response times, in events and in hw_connection_health. */
#include "client.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* Waits for the change of health of that number, and checks what it changed from and to. */
static void check_health_change(client *client, size_t number, hw_health_level from, hw_health_level to)
{
    const record *change = client_event(client, HW_EVENT_HEALTH, number);
    CHECK_EQUAL(change->event.previous_level, from);
    CHECK_EQUAL(change->event.level, to);
}

TEST(health_follows_what_a_watch_expects)
{
    client *client = client_new();
    client_rule(client, "{\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"100ms\"}]}");
    client_set(client, "ping.interval", "0");
    client_set(client, "watch.on_silence", "report");
    client_connect(client, server_url("raw", "/obey"));
    client_event(client, HW_EVENT_HEARTBEAT_TIMEOUT, 1);
    CHECK_EQUAL(client_health(client).health, HW_HEALTH_UNKNOWN);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_HEALTH), 0);
    client_send(client, "!text tick");
    check_health_change(client, 0, HW_HEALTH_UNKNOWN, HW_HEALTH_HEALTHY);
    check_health_change(client, 1, HW_HEALTH_HEALTHY, HW_HEALTH_WARNING);
    check_health_change(client, 2, HW_HEALTH_WARNING, HW_HEALTH_ERROR);
    uint64_t healthy_ns = client_event(client, HW_EVENT_HEALTH, 0)->event.time_ns;
    CHECK(client_event(client, HW_EVENT_HEALTH, 1)->event.time_ns >= healthy_ns + 100000000);
    CHECK(client_event(client, HW_EVENT_HEALTH, 2)->event.time_ns >= healthy_ns + 200000000);
    CHECK_EQUAL(client_health(client).health, HW_HEALTH_ERROR);
    client_send(client, "!text tick");
    check_health_change(client, 3, HW_HEALTH_ERROR, HW_HEALTH_WARNING);
    /* Two in time, one after the other, are needed. */
    size_t ticks = client_message_count(client);
    while (client_health(client).health != HW_HEALTH_HEALTHY) {
        client_send(client, "!text tick");
        client_message(client, ticks++);
    }
    client_free(client);
}

TEST(health_follows_acks)
{
    client *client = client_new();
    client_set(client, "ping.interval", "20ms");
    client_set(client, "ping.timeout", "1s");
    client_set(client, "ping.missed_max", "1000");
    client_set(client, "health.error_intervals", "3");
    client_connect(client, server_url("raw", "/obey"));
    check_health_change(client, 0, HW_HEALTH_UNKNOWN, HW_HEALTH_HEALTHY);
    client_send(client, "!mute");
    AWAIT(client_health(client).health == HW_HEALTH_ERROR);
    CHECK(client_metrics(client).beats_missed >= 3);
    client_event(client, HW_EVENT_BEAT_MISSED, 2);
    client_free(client);
}

TEST(a_new_connection_begins_without_a_health)
{
    client *client = client_new();
    client_rule(client, "{\"watch\":[{\"on\":{\"eq\":\"tick\"},\"within\":\"20s\"}]}");
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!text tick");
    check_health_change(client, 0, HW_HEALTH_UNKNOWN, HW_HEALTH_HEALTHY);
    client_send(client, "!drop");
    client_event(client, HW_EVENT_OPENED, 1);
    AWAIT(client_metrics(client).epoch == 2);
    CHECK_EQUAL(client_health(client).health, HW_HEALTH_UNKNOWN);
    CHECK_EQUAL(client_health(client).heartbeats_received, 1);
    client_free(client);
}

/* The first change of quality with these limits, against a server that answers pings so late. */
static hw_quality quality(const char *excellent, const char *good, const char *fair)
{
    client *client = client_new();
    client_set(client, "ping.interval", "5ms");
    client_set(client, "quality.excellent_mean", excellent);
    client_set(client, "quality.good_mean", good);
    client_set(client, "quality.fair_mean", fair);
    client_set(client, "quality.excellent_variance", "1000000000");
    client_set(client, "quality.good_variance", "1000000000");
    client_open(client, server_url("raw", "/late-pongs?ms=5"));
    const record *change = client_event(client, HW_EVENT_QUALITY, 0);
    hw_quality level = change->event.level;
    CHECK_EQUAL(change->event.previous_level, HW_QUALITY_UNKNOWN);
    CHECK(client_event_count(client, HW_EVENT_BEAT_ACKED) >= 3);
    hw_health health = client_health(client);
    CHECK(health.round_trips >= 3 && health.round_trips <= 16);
    CHECK(health.round_trip_min_ns >= 5000000);
    CHECK(health.round_trip_min_ns <= health.round_trip_mean_ns && health.round_trip_mean_ns <= health.round_trip_max_ns);
    CHECK(health.round_trip_min_ns <= health.round_trip_last_ns && health.round_trip_last_ns <= health.round_trip_max_ns);
    CHECK(health.beats_acked >= 3);
    client_free(client);
    return level;
}

TEST(quality_follows_from_round_trips)
{
    CHECK_EQUAL(quality("1h", "1h", "1h"), HW_QUALITY_EXCELLENT);
    CHECK_EQUAL(quality("1ms", "1h", "1h"), HW_QUALITY_GOOD);
    CHECK_EQUAL(quality("1ms", "1ms", "1h"), HW_QUALITY_FAIR);
    CHECK_EQUAL(quality("1ms", "1ms", "1ms"), HW_QUALITY_POOR);
}

TEST(timestamps_give_the_one_way_latency)
{
    enum { MARGIN_S = 3600 };
    client *client = client_new();
    client_rule(client, "{\"stamp\":[{\"on\":{\"has\":[\"/ms\"]},\"path\":\"/ms\",\"unit\":\"ms\"},"
                        "{\"on\":{\"has\":[\"/iso\"]},\"path\":\"/iso\",\"unit\":\"iso8601\"}]}");
    client_set(client, "ping.interval", "0");
    client_connect(client, server_url("raw", "/obey"));
    CHECK_EQUAL(client_health(client).timestamps, 0);
    CHECK_EQUAL(client_health(client).one_way_raw_ns, 0);
    client_send(client, "!text {\"ms\":1000}");
    AWAIT(client_health(client).timestamps == 1);
    hw_health health = client_health(client);
    int64_t expected_ns = ((int64_t)time(NULL) - 1) * 1000000000;
    CHECK(health.one_way_raw_ns <= expected_ns + MARGIN_S * 1000000000ll);
    CHECK(health.one_way_raw_ns >= expected_ns - MARGIN_S * 1000000000ll);
    CHECK_EQUAL(health.one_way_ns, health.one_way_raw_ns);
    CHECK_EQUAL(health.clock_offset_ns, 0);
    client_send(client, "!text {\"iso\":\"2100-01-01T00:00:00Z\"}");
    AWAIT(client_health(client).timestamps == 2);
    CHECK(client_health(client).one_way_raw_ns < 0);
    client_send(client, "!text {\"iso\":\"yesterday\"}");
    client_message(client, 2);
    CHECK_EQUAL(client_health(client).timestamps, 2);
    client_free(client);
}

TEST(response_times_are_counted)
{
    client *client = client_connected(server_url("ws", "/ping?interval_ms=0"));
    AWAIT(client_health(client).heartbeats_answered >= 150);
    hw_health health = client_health(client);
    CHECK_EQUAL(health.responses, 100);
    CHECK(health.response_min_ns > 0);
    CHECK(health.response_min_ns <= health.response_median_ns && health.response_median_ns <= health.response_p99_ns);
    CHECK(health.response_p99_ns <= health.response_max_ns);
    CHECK(health.response_min_ns <= health.response_mean_ns && health.response_mean_ns <= health.response_max_ns);
    CHECK(health.response_min_ns <= health.response_last_ns && health.response_last_ns <= health.response_max_ns);
    CHECK(health.responses_total >= 150);
    CHECK(health.responses_median_ns <= health.responses_p99_ns && health.responses_p99_ns <= health.responses_p999_ns);
    CHECK(health.responses_p999_ns <= health.responses_max_ns);
    CHECK(health.heartbeats_received >= health.heartbeats_answered);
    CHECK_EQUAL(health.response_level, HW_RESPONSE_ON_TARGET);
    client_free(client);
}

/* Fills the way to a server that reads nothing but pings all the time. */
static client *stuck_client(const char *threshold)
{
    static char message[1 << 20];
    client *client = client_new();
    client_set(client, "response.target", "5ms");
    client_set(client, "response.warning", "10ms");
    client_set(client, "response.critical", "15ms");
    client_set(client, "response.timeout", "20ms");
    client_set(client, "heartbeat.failure_threshold", threshold);
    client_set(client, "close.timeout", "10ms");
    client_set(client, "queue.bytes_max", "64MiB");
    client_connect(client, server_url("raw", "/deaf"));
    hw_status status;
    do status = hw_connection_send(client->connection, HW_BINARY, message, sizeof message, NULL, NULL);
    while (status == HW_OK);
    CHECK(status == HW_E_FULL || status == HW_E_STATE);
    return client;
}

TEST(an_answer_that_the_socket_does_not_take_is_overdue)
{
    client *client = stuck_client("1000");
    const record *failure = client_event(client, HW_EVENT_HEARTBEAT_FAILURE, 0);
    CHECK_CONTAINS(failure->text, "the answer did not reach the kernel within response.timeout");
    CHECK_EQUAL(failure->event.count, 1);
    AWAIT(client_health(client).failures_in_a_row >= 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
    client_free(client);
}

TEST(overdue_answers_end_the_connection)
{
    client *client = stuck_client("1");
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_STATUS(closed->event.status, HW_E_HEARTBEAT);
    CHECK_CONTAINS(closed->text, "1 heartbeats in a row failed");
    CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, 1)->event.epoch, 2);
    client_free(client);
}

TEST(snapshots_need_a_handle_and_a_size)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_health health;
    memset(&health, 0x5A, sizeof health);
    CHECK_STATUS(hw_connection_health(client->connection, NULL), HW_E_ARGUMENT);
    health.struct_size = sizeof health.struct_size;
    CHECK_STATUS(hw_connection_health(client->connection, &health), HW_E_ARGUMENT);
    health.struct_size = offsetof(hw_health, response_level);
    CHECK_STATUS(hw_connection_health(client->connection, &health), HW_OK);
    CHECK_EQUAL(health.quality, HW_QUALITY_UNKNOWN);
    CHECK_EQUAL(health.response_level, 0x5A5A5A5A);
    hw_connection *connection = client->connection;
    client_free(client);
    health.struct_size = sizeof health;
    CHECK_STATUS(hw_connection_health(connection, &health), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_health(NULL, &health), HW_E_HANDLE);
}
