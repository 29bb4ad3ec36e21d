/* Answers that the host gives itself: hw_connection_respond. */
#include "client.h"

#include <pthread.h>
#include <string.h>

static hw_reply reply_to(const record *request, const char *text)
{
    return (hw_reply){.struct_size = sizeof(hw_reply),
                      .kind = HW_TEXT,
                      .data = text,
                      .size = strlen(text),
                      .received_ns = request->message.received_ns,
                      .epoch = request->message.epoch};
}

typedef struct {
    client *client;
    hw_reply reply;
    hw_status status;
} answering;

static void *answer(void *context)
{
    answering *answering = context;
    answering->status = hw_connection_respond(answering->client->connection, HW_DETECT_ANSWER, &answering->reply);
    return NULL;
}

TEST(another_thread_may_answer)
{
    client *client = client_new();
    client_connect(client, server_url("raw", "/obey?first=ask"));
    answering answering = {.client = client, .reply = reply_to(client_message(client, 0), "answer")};
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, answer, &answering), 0);
    pthread_join(thread, NULL);
    CHECK_STATUS(answering.status, HW_OK);
    const record *responded = client_named_event(client, HW_EVENT_HEARTBEAT_RESPONDED, "detector", 0);
    CHECK(responded->event.latency_ns > 0);
    CHECK_TEXT(client_frames_seen(client), "1 answer");
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_SEEN, &answering.reply), HW_OK);
    client_named_event(client, HW_EVENT_HEARTBEAT_RECEIVED, "detector", 1);
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_FAILED, &answering.reply), HW_OK);
    client_named_event(client, HW_EVENT_HEARTBEAT_FAILURE, "detector: the detector failed", 0);
    client_free(client);
}

TEST(wrong_replies_are_refused)
{
    static char large[65537];
    client *client = client_connected(server_url("raw", "/obey?first=ask"));
    hw_reply right = reply_to(client_message(client, 0), "answer");
    hw_connection *connection = client->connection;
    CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_NONE, &right), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_respond(connection, 3, &right), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_respond(connection, -2, &right), HW_E_ARGUMENT);
    const uint32_t sizes[] = {0, 4, sizeof(hw_reply) - 1};
    for (int i = 0; i < 3; i++) {
        hw_reply wrong = right;
        wrong.struct_size = sizes[i];
        CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, &wrong), HW_E_ARGUMENT);
    }
    const hw_kind kinds[] = {0, 3, 257, UINT32_MAX};
    for (int i = 0; i < 4; i++) {
        hw_reply wrong = right;
        wrong.kind = kinds[i];
        CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, &wrong), HW_E_ARGUMENT);
    }
    const struct {
        const char *data;
        size_t size;
        hw_status status;
    } answers[] = {{NULL, 1, HW_E_ARGUMENT}, {"x", SIZE_MAX, HW_E_ARGUMENT}, {large, sizeof large, HW_E_TOO_LARGE},
                   {"\xC3\x28", 2, HW_E_UTF8}};
    for (int i = 0; i < 4; i++) {
        hw_reply wrong = right;
        wrong.data = answers[i].data;
        wrong.size = answers[i].size;
        CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, &wrong), answers[i].status);
    }
    CHECK_TEXT(client_frames_seen(client), "");
    client_free(client);
}

TEST(an_answer_belongs_to_its_own_connection)
{
    client *client = client_connected(server_url("raw", "/obey?first=ask"));
    hw_reply stale = reply_to(client_message(client, 0), "stale");
    client_send(client, "!drop");
    hw_reply fresh = reply_to(client_message(client, 1), "fresh");
    CHECK_EQUAL(fresh.epoch, 2);
    const hw_detection detections[] = {HW_DETECT_ANSWER, HW_DETECT_SEEN, HW_DETECT_FAILED};
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(hw_connection_respond(client->connection, detections[i], &stale), HW_E_STATE);
        hw_reply early = fresh;
        early.epoch = 3;
        CHECK_STATUS(hw_connection_respond(client->connection, detections[i], &early), HW_E_STATE);
    }
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_ANSWER, &fresh), HW_OK);
    CHECK_TEXT(client_frames_seen(client), "1 fresh");
    AWAIT(client_health(client).heartbeats_answered == 1);
    CHECK_EQUAL(client_health(client).heartbeats_received, 1);
    CHECK_EQUAL(client_health(client).heartbeats_failed, 0);
    client_free(client);
}

TEST(nothing_is_answered_after_the_end)
{
    client *client = client_connected(server_url("raw", "/obey?first=ask&key=respond-close"));
    hw_reply reply = reply_to(client_message(client, 0), "late");
    hw_connection *connection = client->connection;
    CHECK_STATUS(hw_connection_close(connection, 1000, "done"), HW_OK);
    CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, &reply), HW_E_STATE);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, &reply), HW_E_STATE);
    CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_SEEN, &reply), HW_E_STATE);
    check_seen_close("respond-close", 1000, "done");
    client_free(client);
    CHECK_STATUS(hw_connection_respond(connection, HW_DETECT_ANSWER, &reply), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_respond(NULL, HW_DETECT_ANSWER, &reply), HW_E_HANDLE);
}

TEST(nothing_is_answered_before_the_connection_stands)
{
    client *client = client_new();
    client_open(client, server_url("raw", "/no-answer"));
    hw_reply reply = {.struct_size = sizeof reply, .kind = HW_TEXT, .data = "x", .size = 1, .received_ns = 1};
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_ANSWER, &reply), HW_E_STATE);
    reply.epoch = 1;
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_ANSWER, &reply), HW_E_STATE);
    client_free(client);
}

TEST(an_answer_goes_ahead_of_the_queue)
{
    static char message[100000];
    memset(message, 'q', sizeof message);
    client *holding = client_connected(server_url("raw", "/obey?key=respond-queue"));
    client *client = client_connected(server_url("raw", "/report-frames-after-close?key=respond-queue"));
    size_t sent = 0;
    for (; client_metrics(client).queue_messages < 8; sent++)
        CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, message, sizeof message, NULL, NULL), HW_OK);
    hw_reply reply = {.struct_size = sizeof reply, .kind = HW_TEXT, .data = "answer", .size = 6, .received_ns = 1, .epoch = 1};
    CHECK_STATUS(hw_connection_respond(client->connection, HW_DETECT_ANSWER, &reply), HW_OK);
    client_free(holding);
    size_t place = 0;
    while (strcmp(client_message(client, place)->text, "[6]") != 0) place++;
    CHECK(place < sent);
    client_message(client, sent);
    client_free(client);
}
