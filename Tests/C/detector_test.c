/* The host's own detectors, and answers by hw_connection_respond. */
#include "client.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Understands what the message says to find, and keeps what it was shown. */
typedef struct {
    hw_message message;
    hw_reply reply;
    pthread_t thread;
    _Atomic int calls;
    _Atomic int is_blocked; /* it waits inside until this is 0 */
} detector;

static int says(const hw_message *message, const char *text)
{
    return message->size == strlen(text) && memcmp(message->data, text, message->size) == 0;
}

static hw_detection answer(hw_reply *reply, const void *data, size_t size)
{
    reply->data = data;
    reply->size = size;
    return HW_DETECT_ANSWER;
}

static hw_detection detect(hw_connection *connection, const hw_message *message, hw_reply *reply, void *context)
{
    static char large[65537];
    detector *detector = context;
    CHECK(connection != NULL);
    CHECK_EQUAL(reply->struct_size, sizeof *reply);
    CHECK_EQUAL(reply->kind, HW_TEXT);
    detector->message = *message;
    detector->reply = *reply;
    detector->thread = pthread_self();
    detector->calls++;
    while (detector->is_blocked) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (says(message, "ask")) return answer(reply, "answer", 6);
    if (says(message, "ask empty")) return answer(reply, NULL, 0);
    if (says(message, "ask invalid")) return answer(reply, "\xC3\x28", 2);
    if (says(message, "ask large")) return answer(reply, large, sizeof large);
    if (says(message, "ask nothing")) return answer(reply, NULL, 5);
    if (says(message, "ask kind")) reply->kind = 9;
    if (says(message, "ask binary")) reply->kind = HW_BINARY;
    if (says(message, "ask binary") || says(message, "ask kind")) return answer(reply, "\x01\xFF", 2);
    if (says(message, "seen")) return HW_DETECT_SEEN;
    if (says(message, "failed")) return HW_DETECT_FAILED;
    if (says(message, "nonsense")) return 77;
    return HW_DETECT_NONE;
}

static client *new_client(detector *detector)
{
    client *client = client_new();
    CHECK_STATUS(hw_config_on_detect(client->config, detect, detector), HW_OK);
    return client;
}

static void check_answers(const char *thread, const char *delivery)
{
    detector detector = {0};
    client *client = new_client(&detector);
    client_set(client, "detector.thread", thread);
    client_set(client, "delivery", delivery);
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!text ask");
    client_send(client, "!text hello");
    client_send(client, "!text ask binary");
    client_send(client, "!text ask empty");
    client_named_event(client, HW_EVENT_HEARTBEAT_RESPONDED, "detector", 2);
    CHECK_TEXT(client_frames_seen(client), "1 answer\n2 01ff\n1 ");
    hw_health health = client_health(client);
    CHECK_EQUAL(health.heartbeats_received, 3);
    CHECK_EQUAL(health.heartbeats_answered, 3);
    CHECK_EQUAL(health.heartbeats_failed, 0);
    CHECK_EQUAL(health.responses, 3);
    client_free(client);
}

TEST(detectors_answer_on_every_thread)
{
    check_answers("dispatcher", "dispatcher");
    check_answers("inline", "dispatcher");
    check_answers("dispatcher", "inline");
    check_answers("inline", "inline");
}

TEST(a_detector_needs_no_other_heartbeat)
{
    detector detector = {0};
    client *client = new_client(&detector);
    client_set(client, "ping.interval", "0");
    CHECK_STATUS(hw_config_on_messages(client->config, NULL, NULL), HW_OK);
    client_connect(client, server_url("raw", "/obey?first=ask"));
    client_named_event(client, HW_EVENT_HEARTBEAT_RESPONDED, "detector", 0);
    CHECK_EQUAL(client_health(client).heartbeats_answered, 1);
    client_free(client);
}

TEST(a_request_is_received_before_it_is_answered)
{
    detector detector = {0};
    client *client = new_client(&detector);
    client_connect(client, server_url("raw", "/obey?first=ask"));
    const record *received = client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "detector", 0);
    const record *responded = client_named_event(client, HW_EVENT_HEARTBEAT_RESPONDED, "detector", 0);
    pthread_mutex_lock(&client->lock);
    size_t at = 0;
    while (client->records[at] != received && client->records[at] != responded) at++;
    CHECK(client->records[at] == received);
    pthread_mutex_unlock(&client->lock);
    CHECK_EQUAL(responded->event.level, HW_RESPONSE_ON_TARGET);
    CHECK(responded->event.latency_ns > 0);
    CHECK_EQUAL(responded->event.rule, -1);
    client_free(client);
}

TEST(the_deadline_follows_from_the_arrival)
{
    detector detector = {0};
    client *client = new_client(&detector);
    client_set(client, "response.timeout", "2500ms");
    client_connect(client, server_url("raw", "/obey?first=hello"));
    const record *message = client_message(client, 0);
    CHECK_EQUAL(detector.calls, 1);
    CHECK_EQUAL(detector.reply.received_ns, message->message.received_ns);
    CHECK_EQUAL(detector.reply.deadline_ns, message->message.received_ns + 2500000000u);
    CHECK_EQUAL(detector.reply.epoch, 1);
    CHECK_EQUAL(detector.message.received_ns, message->message.received_ns);
    client_free(client);
}

TEST(heartbeats_without_answer_are_counted)
{
    detector detector = {0};
    client *client = new_client(&detector);
    client_connect(client, server_url("raw", "/obey?first=seen"));
    client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "detector", 0);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_HEARTBEAT_RESPONDED), 0);
    CHECK_TEXT(client_frames_seen(client), "");
    CHECK_EQUAL(client_health(client).heartbeats_received, 1);
    CHECK_EQUAL(client_health(client).heartbeats_answered, 0);
    client_free(client);
}

TEST(whatever_a_detector_does_wrong_is_a_failure)
{
    static const char *wrong[] = {"failed", "nonsense", "ask invalid", "ask large", "ask nothing", "ask kind"};
    static const uint64_t count = sizeof wrong / sizeof *wrong;
    detector detector = {0};
    client *client = new_client(&detector);
    client_set(client, "heartbeat.failure_threshold", "100");
    client_connect(client, server_url("raw", "/obey"));
    for (uint64_t i = 0; i < count; i++) {
        char command[64] = "!text ";
        client_send(client, strcat(command, wrong[i]));
        const record *failure = client_named_event(client, HW_EVENT_HEARTBEAT_FAILURE, "detector: the detector failed", i);
        CHECK_EQUAL(failure->event.count, i + 1);
    }
    CHECK_TEXT(client_frames_seen(client), "");
    CHECK_EQUAL(client_health(client).heartbeats_failed, count);
    CHECK_EQUAL(client_health(client).failures_in_a_row, count);
    client_send(client, "!text ask");
    client_event(client, HW_EVENT_HEARTBEAT_RESPONDED, 0);
    AWAIT(client_health(client).failures_in_a_row == 0);
    CHECK_EQUAL(client_state(client, HW_STATE_CONNECTED, 0)->event.epoch, 1);
    client_free(client);
}

static client *fail_three_times(detector *detector, const char *key, const char *policy)
{
    client *client = new_client(detector);
    client_set(client, "heartbeat.failure_threshold", "3");
    client_set(client, "heartbeat.on_failure", policy);
    client_set(client, "heartbeat.close_code", "4321");
    client_set(client, "heartbeat.close_reason", "no heart");
    client_connect(client, server_url("raw", "/obey?key=%s", key));
    for (int i = 0; i < 3; i++) client_send(client, "!text failed");
    client_event(client, HW_EVENT_HEARTBEAT_FAILURE, 2);
    return client;
}

TEST(failures_in_a_row_end_the_connection)
{
    detector detector = {0};
    client *client = fail_three_times(&detector, "detector-reconnect", "reconnect");
    check_seen_close("detector-reconnect", 4321, "no heart");
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_STATUS(closed->event.status, HW_E_HEARTBEAT);
    CHECK_EQUAL(closed->event.close_code, 4321);
    CHECK_EQUAL(closed->event.by_peer, 0);
    CHECK_CONTAINS(closed->text, "3 heartbeats in a row failed, and heartbeat.failure_threshold allows no more");
    CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, 1)->event.epoch, 2);
    CHECK_EQUAL(client_health(client).failures_in_a_row, 0);
    CHECK_EQUAL(client_health(client).heartbeats_failed, 3);
    client_free(client);
}

TEST(failures_can_end_it_for_good)
{
    detector detector = {0};
    client *client = fail_three_times(&detector, "detector-fail", "fail");
    check_seen_close("detector-fail", 4321, "no heart");
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_HEARTBEAT);
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_connection_wait(client->connection, HW_STATE_CONNECTED, 0, &error), HW_E_STATE);
    CHECK_CONTAINS(error.message, "heartbeat.failure_threshold");
    client_free(client);
}

TEST(failures_can_be_reported_only)
{
    detector detector = {0};
    client *client = fail_three_times(&detector, "detector-report", "report");
    client_send(client, "!text ask");
    client_event(client, HW_EVENT_HEARTBEAT_RESPONDED, 0);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
    client_free(client);
}

TEST(a_detector_that_is_late_is_overdue)
{
    detector detector = {.is_blocked = 1};
    client *client = new_client(&detector);
    client_set(client, "response.target", "1ms");
    client_set(client, "response.warning", "2ms");
    client_set(client, "response.critical", "3ms");
    client_set(client, "response.timeout", "4ms");
    client_connect(client, server_url("raw", "/obey?first=ask"));
    AWAIT(detector.calls == 1);
    struct timespec now;
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec <= detector.reply.deadline_ns);
    detector.is_blocked = 0;
    const record *responded = client_event(client, HW_EVENT_HEARTBEAT_RESPONDED, 0);
    CHECK_EQUAL(responded->event.level, HW_RESPONSE_OVERDUE);
    CHECK(responded->event.latency_ns > 4000000);
    const record *crossed = client_event(client, HW_EVENT_RESPONSE_LEVEL, 0);
    CHECK_EQUAL(crossed->event.previous_level, HW_RESPONSE_ON_TARGET);
    CHECK_EQUAL(crossed->event.level, HW_RESPONSE_OVERDUE);
    const record *failure = client_event(client, HW_EVENT_HEARTBEAT_FAILURE, 0);
    CHECK_CONTAINS(failure->text, "detector: the answer did not reach the kernel within response.timeout");
    CHECK_EQUAL(client_health(client).heartbeats_failed, 1);
    CHECK_EQUAL(client_health(client).response_level, HW_RESPONSE_OVERDUE);
    client_free(client);
}

TEST(an_answer_for_a_connection_that_is_over_is_dropped)
{
    detector detector = {.is_blocked = 1};
    client *client = new_client(&detector);
    client_connect(client, server_url("raw", "/obey?first=ask"));
    AWAIT(detector.calls == 1);
    client_send(client, "!drop");
    AWAIT(client_metrics(client).epoch == 2 && hw_connection_state(client->connection) == HW_STATE_CONNECTED);
    detector.is_blocked = 0;
    /* The second connection's request is answered; the first one's answer would stand before it. */
    client_event(client, HW_EVENT_HEARTBEAT_RESPONDED, 0);
    CHECK_TEXT(client_frames_seen(client), "1 answer");
    CHECK_EQUAL(client_health(client).heartbeats_answered, 1);
    client_free(client);
}
