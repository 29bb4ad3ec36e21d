/* The process's log. */
#include "client.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

typedef struct {
    atomic_int lines;
    atomic_int is_taken_away; /* a line after that is a failure */
    atomic_int ends_itself;
} receiver;

static void receive(hw_log_level level, const char *line, size_t size, void *context)
{
    receiver *receiver = context;
    CHECK(level >= HW_LOG_ERROR && level <= HW_LOG_DEBUG);
    CHECK(line != NULL && size > 0 && memchr(line, '\n', size) == NULL);
    CHECK(!atomic_load(&receiver->is_taken_away));
    atomic_fetch_add(&receiver->lines, 1);
    if (atomic_load(&receiver->ends_itself)) {
        CHECK_STATUS(hw_log(HW_LOG_OFF, NULL, NULL), HW_OK);
        atomic_store(&receiver->is_taken_away, 1);
    }
    for (int i = 0; i < 20; i++) sched_yield();
    CHECK(!atomic_load(&receiver->is_taken_away) || atomic_load(&receiver->ends_itself));
}

static client *busy_client(void)
{
    client *client = client_new();
    client_set(client, "ping.interval", "1ms");
    client_open(client, server_url("ws", "/echo"));
    client_state(client, HW_STATE_CONNECTED, 0);
    return client;
}

TEST(no_line_comes_once_the_log_was_taken_away)
{
    client *client = busy_client();
    for (int i = 0; i < 50; i++) {
        receiver receiver = {0};
        CHECK_STATUS(hw_log(HW_LOG_DEBUG, receive, &receiver), HW_OK);
        AWAIT(atomic_load(&receiver.lines) > 3);
        CHECK_STATUS(hw_log(HW_LOG_OFF, NULL, NULL), HW_OK);
        atomic_store(&receiver.is_taken_away, 1);
        uint64_t sent = client_metrics(client).beats_sent;
        AWAIT(client_metrics(client).beats_sent > sent + 3);
    }
    client_free(client);
}

TEST(a_receiver_can_end_the_log_itself)
{
    client *client = busy_client();
    receiver receiver = {.ends_itself = 1};
    CHECK_STATUS(hw_log(HW_LOG_DEBUG, receive, &receiver), HW_OK);
    AWAIT(atomic_load(&receiver.is_taken_away));
    uint64_t sent = client_metrics(client).beats_sent;
    AWAIT(client_metrics(client).beats_sent > sent + 3);
    CHECK_EQUAL(atomic_load(&receiver.lines), 1);
    client_free(client);
}

TEST(levels_that_do_not_exist_are_refused)
{
    CHECK_STATUS(hw_log(HW_LOG_OFF - 1, receive, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_log(HW_LOG_DEBUG + 1, receive, NULL), HW_E_ARGUMENT);
}
