/* Outcomes that a program does not take: they neither pile up nor get lost without a word. */
#include "test.h"

#include <string.h>

enum { MESSAGES_MAX = 50000, TAKE_MAX = 64 };

/* What an inbox has told of one connection's messages. */
typedef struct {
    hw_connection *connection;
    char is_told[MESSAGES_MAX];
    hw_event untold; /* which messages are to be asked about; its count is 0 if there are none */
} story;

/* Opens a connection to no server, into the inbox, and gives it so many messages. */
static void begin(story *story, hw_inbox *inbox, int messages)
{
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_set(config, "queue.messages_max", "100000", NULL), HW_OK);
    CHECK_STATUS(hw_config_set(config, "reconnect.base", "1h", NULL), HW_OK);
    CHECK_STATUS(hw_config_set(config, "reconnect.cap", "1h", NULL), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, story), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("refused", "/"), &story->connection, NULL), HW_OK);
    for (int i = 0; i < messages; i++) CHECK_STATUS(hw_connection_send(story->connection, HW_TEXT, "x", 1, NULL, NULL), HW_OK);
    hw_config_free(config);
}

static void take_back(story *story, uint64_t id)
{
    CHECK_STATUS(hw_connection_cancel(story->connection, id), HW_OK);
}

static void hear(story *story, const hw_event *event)
{
    CHECK(event->message_id > 0 && event->count > 0 && event->message_id + event->count - 1 <= MESSAGES_MAX);
    if (event->level == HW_OUTCOME_PENDING) {
        CHECK_EQUAL(story->untold.count, 0);
        story->untold = *event;
        return;
    }
    CHECK_EQUAL(event->level, HW_OUTCOME_CANCELLED);
    for (uint64_t id = event->message_id; id < event->message_id + event->count; id++) {
        if (story->is_told[id - 1]) FAIL("message %llu was told of twice", (unsigned long long)id);
        story->is_told[id - 1] = 1;
    }
}

/* Waits until the library's thread has seen to all that was asked of it: an attempt of another connection, begun later, has failed. */
static void await_library(void)
{
    static story last;
    hw_inbox *inbox = NULL;
    hw_delivery delivery;
    size_t count;
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    begin(&last, inbox, 0);
    do CHECK_STATUS(hw_inbox_take(inbox, &delivery, 1, &count, PATIENCE_MS), HW_OK);
    while (delivery.event == NULL || delivery.event->kind != HW_EVENT_ATTEMPT_FAILED);
    hw_connection_release(last.connection);
    hw_inbox_release(inbox);
}

/* Takes all that waits. */
static void hear_all(hw_inbox *inbox)
{
    hw_delivery deliveries[TAKE_MAX];
    size_t count;
    await_library();
    while (hw_inbox_take(inbox, deliveries, TAKE_MAX, &count, 0) == HW_OK)
        for (size_t i = 0; i < count; i++) {
            if (deliveries[i].event == NULL) FAIL("a message came");
            if (deliveries[i].event->kind == HW_EVENT_OUTCOME) hear(deliveries[i].context, deliveries[i].event);
        }
}

TEST(outcomes_that_wait_are_told_together)
{
    static story story;
    hw_inbox *inbox = NULL;
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    begin(&story, inbox, MESSAGES_MAX);
    for (uint64_t id = 1; id <= MESSAGES_MAX; id++) take_back(&story, id);
    hear_all(inbox);
    CHECK_EQUAL(story.untold.count, 0);
    CHECK(memchr(story.is_told, 0, MESSAGES_MAX) == NULL);
    hw_connection_release(story.connection);
    hw_inbox_release(inbox);
}

/* Those of the first connection stand alone, so that none joins another; then there is no room for those of the second. */
TEST(outcomes_that_pile_up_are_to_be_asked_for)
{
    enum { EVENTS_MAX = 16384, OTHER_EVENTS_MAX = 100, FEW = 1000 };
    static story many, few;
    hw_inbox *inbox = NULL;
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    begin(&many, inbox, MESSAGES_MAX);
    begin(&few, inbox, FEW);
    for (uint64_t id = 2; id <= MESSAGES_MAX; id += 2) take_back(&many, id);
    for (uint64_t id = FEW; id >= 1; id--) take_back(&few, id);
    for (uint64_t id = 1; id <= FEW; id++) {
        hw_outcome outcome = -1;
        CHECK_STATUS(hw_connection_outcome(few.connection, id, &outcome), HW_OK);
        CHECK_EQUAL(outcome, HW_OUTCOME_CANCELLED);
    }
    hear_all(inbox);
    CHECK_EQUAL(few.untold.message_id, 1);
    CHECK_EQUAL(few.untold.count, FEW);
    CHECK(memchr(few.is_told, 1, FEW) == NULL);

    CHECK(many.untold.count > 0);
    uint64_t told = 0;
    for (uint64_t id = 2; id <= MESSAGES_MAX; id += 2) {
        told += (uint64_t)many.is_told[id - 1];
        int is_named = id >= many.untold.message_id && id < many.untold.message_id + many.untold.count;
        if (!many.is_told[id - 1] && !is_named) FAIL("nothing tells of message %llu", (unsigned long long)id);
    }
    CHECK(told > EVENTS_MAX - OTHER_EVENTS_MAX && told <= EVENTS_MAX);
    hw_connection_release(many.connection);
    hw_connection_release(few.connection);
    hw_inbox_release(inbox);
}
