/* Rotation: the next connection is made before the present one is given up, and nothing is lost. */
#include "rotation.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TEST(a_rotation_goes_through_its_steps)
{
    group group = group_new("rotation-steps");
    client *client = rotating_first(&group);
    client_send(client, "before");
    group_await_seen(&group, "1 before");
    group_ask(&group, "hold");
    rotate(client);
    rotation(client, 0, HW_ROTATION_STARTED, 1);
    group_ask(&group, "await 2");
    /* The old one still delivers and sends; a second wish changes nothing. */
    rotate(client);
    client_send(client, "meanwhile");
    group_await_seen(&group, "1 before\n1 meanwhile");
    group_ask(&group, "text 1 still here");
    CHECK_TEXT(client_message(client, 0)->text, "still here");
    group_ask(&group, "accept");
    rotation(client, 1, HW_ROTATION_SWITCHED, 2);
    client_send(client, "after");
    group_await_seen(&group, "1 before\n1 meanwhile\n2 after");
    rotation(client, 2, HW_ROTATION_FINISHED, 1);
    CHECK_TEXT(group_closes(&group, 1), "1 1000");

    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.epoch, 1);
    CHECK_STATUS(closed->event.status, HW_OK);
    CHECK_EQUAL(closed->event.by_peer, 0);
    CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, 1)->event.epoch, 2);
    hw_metrics metrics = client_metrics(client);
    CHECK_EQUAL(metrics.rotations, 1);
    CHECK_EQUAL(metrics.reconnections, 0);
    CHECK_EQUAL(metrics.attempts, 2);
    CHECK_EQUAL(metrics.attempts_failed, 0);
    CHECK_EQUAL(metrics.errors, 0);
    CHECK_EQUAL(metrics.epoch, 2);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 3);
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

/* A thread that sends "0", "1", ... until it is told to stop, the odd ones now or never: there always is a connection. */
typedef struct {
    hw_connection *connection;
    _Atomic int is_over;
    int sent;
} sender;

static void *send_numbers(void *context)
{
    sender *sender = context;
    for (; !sender->is_over; sender->sent++) {
        char text[16];
        snprintf(text, sizeof text, "%d", sender->sent);
        hw_send_options options = {.struct_size = sizeof options, .flags = sender->sent % 2 ? HW_SEND_NOW : 0};
        CHECK_STATUS(hw_connection_send(sender->connection, HW_TEXT, text, strlen(text), &options, NULL), HW_OK);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

/* Each line "MEMBER NUMBER": all numbers came, once, and those of one member in order. */
static void check_all_seen(const char *lines, int count, int members)
{
    int *next = calloc((size_t)members + 1, sizeof *next), seen = 0;
    char *came = calloc((size_t)count, 1);
    while (*(lines += *lines == '\n') != '\0') {
        char *end;
        long member = strtol(lines, &end, 10), number = strtol(end, &end, 10);
        CHECK(member >= 1 && member <= members);
        CHECK(number >= next[member] && number < count);
        CHECK(!came[number]);
        next[member] = (int)number + 1;
        came[number] = 1;
        seen++;
        lines = end;
    }
    CHECK_EQUAL(seen, count);
    free(came);
    free(next);
}

/* Counts what a member sends: "MEMBER 0", "MEMBER 1", ..., and for one that has closed "MEMBER last". */
typedef struct {
    int next;
    int is_over;
} tally;

static void count(tally *tallies, size_t members, const hw_message *message)
{
    char text[32] = {0};
    CHECK(message->size < sizeof text);
    memcpy(text, message->data, message->size);
    char *end;
    unsigned long member = strtoul(text, &end, 10);
    /* The server numbers requests and the client connections: both in their order. */
    CHECK_EQUAL(member, message->epoch);
    CHECK(member >= 1 && member <= members);
    CHECK(!tallies[member].is_over);
    if (strcmp(end, " last") == 0)
        tallies[member].is_over = 1;
    else
        CHECK_EQUAL(strtol(end, NULL, 10), tallies[member].next++);
}

static void rotate_under_traffic(const char *server)
{
    enum { ROTATIONS = 20 };
    group group = group_new(strcmp(server, "raw") == 0 ? "rotation-traffic" : "rotation-traffic-tls");
    client *client = rotating();
    /* The server answers a close frame when it has read all that came before. */
    client_set(client, "close.timeout", "20s");
    client_connect(client, group_url(&group, server, "&count="));
    sender sender = {.connection = client->connection};
    pthread_t sending;
    CHECK_EQUAL(pthread_create(&sending, NULL, send_numbers, &sender), 0);
    for (size_t i = 0; i < ROTATIONS; i++) {
        size_t received = client_message_count(client);
        rotate(client);
        whole_rotation(client, 3 * i, i + 1);
        /* The new one carries both ways before it is replaced. */
        AWAIT(client_message_count(client) >= received + 10);
    }
    sender.is_over = 1;
    pthread_join(sending, NULL);
    connected_throughout(client);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_EQUAL(client_metrics(client).messages_sent, sender.sent);

    tally tallies[ROTATIONS + 2] = {0};
    for (size_t i = 0; i < client->count; i++)
        if (!client->records[i]->is_event) count(tallies, ROTATIONS + 1, &client->records[i]->message);
    for (int i = 1; i <= ROTATIONS + 1; i++) {
        CHECK(tallies[i].next > 0);
        CHECK(tallies[i].is_over);
    }
    check_all_seen(group_ask(&group, "seen") + strlen("seen"), sender.sent, ROTATIONS + 1);
    client_free(client);
    group_free(&group);
}

TEST(nothing_is_lost_under_traffic_over_ws)
{
    rotate_under_traffic("raw");
}

TEST(nothing_is_lost_under_traffic_over_wss)
{
    rotate_under_traffic("wss_raw");
}

TEST(an_inbox_gets_what_both_connections_deliver)
{
    enum { ROTATIONS = 10, TAKE_MAX = 64 };
    group group = group_new("rotation-inbox");
    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, group_url(&group, "raw", "&count="), &connection, NULL), HW_OK);
    tally tallies[ROTATIONS + 2] = {0};
    hw_delivery deliveries[TAKE_MAX];
    int finished = 0, is_released = 0;
    while (!is_released) {
        size_t taken = 0;
        CHECK_STATUS(hw_inbox_take(inbox, deliveries, TAKE_MAX, &taken, PATIENCE_MS), HW_OK);
        for (size_t i = 0; i < taken; i++) {
            const hw_event *event = deliveries[i].event;
            if (event == NULL) {
                count(tallies, ROTATIONS + 1, &deliveries[i].message);
            } else if (event->kind == HW_EVENT_STATE && event->state == HW_STATE_CONNECTED) {
                CHECK_STATUS(hw_connection_rotate(connection), HW_OK);
            } else if (event->kind == HW_EVENT_ROTATION && event->level == HW_ROTATION_FINISHED) {
                CHECK(tallies[event->epoch].is_over);
                if (++finished < ROTATIONS)
                    CHECK_STATUS(hw_connection_rotate(connection), HW_OK);
                else
                    CHECK_STATUS(hw_connection_close(connection, 1000, NULL), HW_OK);
            } else if (event->kind == HW_EVENT_STATE && event->state == HW_STATE_DISCONNECTED) {
                hw_connection_release(connection);
            }
            is_released = is_released || (event != NULL && event->kind == HW_EVENT_RELEASED);
        }
    }
    for (int i = 1; i <= ROTATIONS + 1; i++) CHECK(tallies[i].is_over);
    hw_inbox_release(inbox);
    hw_config_free(config);
    group_free(&group);
}

/* Messages in parts: one that has begun on the old connection ends there, and the switch waits for it. */
TEST(a_message_that_has_begun_ends_on_the_old_connection)
{
    group group = group_new("rotation-parts");
    client *client = rotating();
    client_set(client, "close.timeout", "1h");
    client_set(client, "connect.timeout", "1h");
    client_set(client, "ping.interval", "0");
    client_connect(client, group_url(&group, "raw", ""));
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    client_send(client, "next");
    /* Nothing of the library's own is under way that could find by chance what follows. */
    check_threads_rest();
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 1);
    part.flags = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, " and ended", 10, &part, NULL), HW_OK);
    whole_rotation(client, 0, 1);
    group_await_seen(&group, "1 begun and ended\n2 next");
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

TEST(kept_messages_and_the_script_go_to_each_connection)
{
    group group = group_new("rotation-kept");
    client *client = rotating();
    add_step(client, "{\"send\": {\"body\": \"hello\"}}");
    client_connect(client, group_url(&group, "raw", ""));
    CHECK_STATUS(hw_connection_keep(client->connection, "a", HW_TEXT, "subscribe", 9), HW_OK);
    rotate(client);
    whole_rotation(client, 0, 1);
    client_send(client, "queued");
    group_await_seen(&group, "1 hello\n1 subscribe\n2 hello\n2 subscribe\n2 queued");
    client_free(client);
    group_free(&group);
}

TEST(what_is_kept_meanwhile_goes_to_both_connections_once)
{
    group group = group_new("rotation-kept-meanwhile");
    client *client = scripted_first(&group, rotating());
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    CHECK_STATUS(hw_connection_keep(client->connection, "a", HW_TEXT, "first", 5), HW_OK);
    CHECK_STATUS(hw_connection_keep(client->connection, "a", HW_TEXT, "second", 6), HW_OK);
    CHECK_STATUS(hw_connection_keep(client->connection, "b", HW_TEXT, "other", 5), HW_OK);
    group_await_seen(&group, "1 first\n1 second\n1 other");
    CHECK_STATUS(hw_connection_keep(client->connection, "b", HW_TEXT, NULL, 0), HW_OK);
    group_ask(&group, "text 2 go");
    whole_rotation(client, 0, 1);
    client_send(client, "queued");
    group_await_seen(&group, "1 first\n1 second\n1 other\n2 second\n2 queued");
    CHECK_EQUAL(client_metrics(client).kept_messages, 1);
    client_free(client);
    group_free(&group);
}

TEST(what_both_connections_deliver_is_left_out_by_a_key)
{
    group group = group_new("rotation-duplicates");
    client *client = rotating();
    client_set(client, "rotate.duplicate_key", "/data/id");
    scripted_first(&group, client);
    group_ask(&group, "text 1 {\"data\":{\"id\":1}}");
    group_ask(&group, "text 1 {\"data\":{\"id\":1}}");
    client_message(client, 2);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    /* From here on they overlap; the step keeps the switch away. Each way round, and what has no key. */
    group_ask(&group, "text 1 {\"data\":{\"id\":2}}");
    CHECK_TEXT(client_message(client, 3)->text, "{\"data\":{\"id\":2}}");
    group_ask(&group, "text 2 {\"data\":{\"id\":2}}");
    group_ask(&group, "text 2 {\"data\":{\"id\":3}}");
    CHECK_TEXT(client_message(client, 4)->text, "{\"data\":{\"id\":3}}");
    group_ask(&group, "text 1 {\"data\":{\"id\":3}}");
    group_ask(&group, "text 1 {\"data\":{}}");
    CHECK_TEXT(client_message(client, 5)->text, "{\"data\":{}}");
    group_ask(&group, "text 2 {\"data\":{}}");
    client_message(client, 6);
    CHECK_EQUAL(client_metrics(client).duplicates_dropped, 2);
    /* Once they no longer overlap, nothing is left out. */
    group_ask(&group, "text 2 go");
    whole_rotation(client, 0, 1);
    group_ask(&group, "text 2 {\"data\":{\"id\":3}}");
    group_ask(&group, "text 2 {\"data\":{\"id\":3}}");
    client_message(client, 9);
    CHECK_EQUAL(client_metrics(client).duplicates_dropped, 2);
    client_free(client);
    group_free(&group);
}

TEST(rotation_needs_a_connection)
{
    CHECK_STATUS(hw_connection_rotate(NULL), HW_E_HANDLE);
    client *client = client_new();
    client_open(client, server_url("refused", "/"));
    rotate(client);
    client_event(client, HW_EVENT_ATTEMPT_FAILED, 1);
    rotate(client);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 0);
    client_free(client);

    struct client *failed = client_new();
    client_open(failed, server_url("ws", "/status?code=403"));
    client_state(failed, HW_STATE_FAILED, 0);
    CHECK_STATUS(hw_connection_rotate(failed->connection), HW_E_STATE);
    client_free(failed);
}

static size_t descriptors(void)
{
    size_t number = 0;
    DIR *directory = opendir("/proc/self/fd");
    CHECK(directory != NULL);
    while (readdir(directory) != NULL) number++;
    closedir(directory);
    return number;
}

/* Rotates anew as soon as a rotation has finished. */
static void rotate_on(client *client, const record *latest)
{
    if (!latest->is_event || latest->event.kind != HW_EVENT_ROTATION || latest->event.level != HW_ROTATION_FINISHED) return;
    if (latest->event.epoch < *(uint64_t *)client->hook_context) rotate(client);
}

TEST(a_thousand_rotations_use_no_more_descriptors)
{
    uint64_t last = 1000;
    client *client = rotating();
    client->hook = rotate_on;
    client->hook_context = &last;
    client_set(client, "ping.interval", "0");
    client_connect(client, server_url("raw", "/obey"));
    size_t before = descriptors();
    rotate(client);
    for (test_patience patience = test_patience_start(); client_metrics(client).rotations < last;) {
        static uint64_t rotations;
        CHECK(descriptors() <= before + 2);
        if (client_metrics(client).rotations > rotations) patience = test_patience_start();
        rotations = client_metrics(client).rotations;
        if (!test_patience_left(&patience)) FAIL("only %llu rotations", (unsigned long long)rotations);
    }
    AWAIT(descriptors() == before);
    CHECK_EQUAL(client_metrics(client).attempts, last + 1);
    CHECK_EQUAL(client_metrics(client).errors, 0);
    connected_throughout(client);
    client_free(client);
}
