/* Rotation: the next connection is made before the present one is given up. */
#include "group.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char STEP[] = "{\"expect\": {\"prefix\": \"go\"}, \"fail\": {\"prefix\": \"no\"}, \"timeout\": \"1h\"}";

/* A client of the group whose connections may overlap, not yet opened. */
static client *rotating(void)
{
    client *new = client_new();
    new->overlaps = 1;
    return new;
}

/* A client with one of the group's members. */
static client *rotating_first(group *group)
{
    client *new = rotating();
    client_connect(new, group_url(group, "raw", ""));
    return new;
}

static void add_step(client *client, const char *json)
{
    hw_error error = NEW_ERROR;
    if (hw_config_add_step(client->config, json, strlen(json), &error) != HW_OK) FAIL("%s: %s", json, error.message);
}

static void rotate(client *client)
{
    CHECK_STATUS(hw_connection_rotate(client->connection), HW_OK);
}

/* Waits for the rotation event of that number, which must be this step, and of this connection. */
static const record *rotation(client *client, size_t number, hw_rotation step, uint64_t epoch)
{
    const record *found = client_event(client, HW_EVENT_ROTATION, number);
    CHECK_EQUAL(found->event.level, step);
    CHECK_EQUAL(found->event.epoch, epoch);
    return found;
}

/* The whole of a rotation from the connection `epoch` to the next; `number` of its first event. */
static void whole_rotation(client *client, size_t number, uint64_t epoch)
{
    rotation(client, number, HW_ROTATION_STARTED, epoch);
    rotation(client, number + 1, HW_ROTATION_SWITCHED, epoch + 1);
    rotation(client, number + 2, HW_ROTATION_FINISHED, epoch);
}

static void connected_throughout(client *client)
{
    CHECK_EQUAL(client_event_count(client, HW_EVENT_STATE), 2);
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 0);
}

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

/* A thread that sends "0", "1", ... until it is told to stop. */
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
        hw_status status;
        while ((status = hw_connection_send(sender->connection, HW_TEXT, text, strlen(text), NULL, NULL)) == HW_E_FULL) continue;
        CHECK_STATUS(status, HW_OK);
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
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
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    client_send(client, "next");
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

TEST(a_failed_rotation_is_tried_again_while_the_old_connection_stays)
{
    group group = group_new("rotation-refused");
    client *client = rotating_first(&group);
    group_ask(&group, "refuse");
    rotate(client);
    rotation(client, 0, HW_ROTATION_STARTED, 1);
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(failed->event.attempt, 1);
    CHECK(failed->event.delay_ms > 0);
    const record *told = client_event(client, HW_EVENT_ROTATION, 1);
    CHECK_EQUAL(told->event.level, HW_ROTATION_FAILED);
    CHECK_STATUS(told->event.status, HW_E_HTTP_STATUS);
    CHECK_EQUAL(told->event.http_status, 503);
    CHECK_CONTAINS(told->text, "503");
    CHECK_EQUAL(told->event.state, HW_STATE_CONNECTED);
    client_send(client, "by the old one");
    group_await_seen(&group, "1 by the old one");
    /* A server that is unavailable is given some seconds; the application need not wait. */
    group_ask(&group, "accept");
    rotate(client);
    rotation(client, 2, HW_ROTATION_STARTED, 1);
    rotation(client, 3, HW_ROTATION_SWITCHED, 2);
    rotation(client, 4, HW_ROTATION_FINISHED, 1);
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

TEST(the_next_try_of_a_rotation_follows_by_itself)
{
    group group = group_new("rotation-again");
    client *client = rotating();
    client_set(client, "reconnect.retry_after_max", "0");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "refuse");
    rotate(client);
    client_event(client, HW_EVENT_ATTEMPT_FAILED, 2);
    CHECK_EQUAL(client_event(client, HW_EVENT_ATTEMPT_FAILED, 2)->event.attempt, 3);
    group_ask(&group, "accept");
    AWAIT(client_metrics(client).rotations == 1);
    client_send(client, "by the new one");
    AWAIT(strstr(group_ask(&group, "seen"), " by the new one") != NULL);
    CHECK(strstr(group_ask(&group, "seen"), "1 by the new one") == NULL);
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

/* A client whose connections wait for the word "go", the first of which got it. */
static client *scripted_first(group *group, client *new)
{
    add_step(new, STEP);
    client_open(new, group_url(group, "raw", ""));
    client_event(new, HW_EVENT_OPENED, 0);
    group_ask(group, "text 1 go");
    client_state(new, HW_STATE_CONNECTED, 0);
    return new;
}

TEST(a_script_that_fails_fails_the_rotation)
{
    group group = group_new("rotation-script");
    client *client = scripted_first(&group, rotating());
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    group_ask(&group, "refuse");
    group_ask(&group, "text 2 no");
    const record *failed = client_event(client, HW_EVENT_ROTATION, 1);
    CHECK_EQUAL(failed->event.level, HW_ROTATION_FAILED);
    CHECK_STATUS(failed->event.status, HW_E_SCRIPT);
    CHECK_STATUS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->event.status, HW_E_SCRIPT);
    client_send(client, "by the old one");
    group_await_seen(&group, "1 by the old one");
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

TEST(a_lost_connection_is_replaced_by_its_successor)
{
    group group = group_new("rotation-lost");
    client *client = rotating_first(&group);
    group_ask(&group, "hold");
    rotate(client);
    group_ask(&group, "await 2");
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_RECONNECTING, 0);
    client_send(client, "queued");
    group_ask(&group, "accept");
    client_state(client, HW_STATE_CONNECTED, 1);
    group_await_seen(&group, "2 queued");
    CHECK_EQUAL(client_event(client, HW_EVENT_GAP, 0)->event.epoch, 2);
    CHECK_EQUAL(client_metrics(client).reconnections, 1);
    CHECK_EQUAL(client_metrics(client).attempts, 2);
    /* It can be rotated in its turn. */
    rotate(client);
    rotation(client, 1, HW_ROTATION_STARTED, 2);
    rotation(client, 2, HW_ROTATION_SWITCHED, 3);
    rotation(client, 3, HW_ROTATION_FINISHED, 2);
    client_free(client);
    group_free(&group);
}

/* The successor stands and waits for the old connection's message to end, which is lost first. */
TEST(a_connection_lost_before_the_switch_gives_up_its_message)
{
    group group = group_new("rotation-lost-switching");
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    client_send(client, "next");
    group_ask(&group, "drop 1");
    rotation(client, 1, HW_ROTATION_SWITCHED, 2);
    part.flags = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, " and ended", 10, &part, NULL), HW_OK);
    group_await_seen(&group, "2 begun and ended\n2 next");
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    client_free(client);
    group_free(&group);
}

/* The successor stands, waits for the old connection's message to end, and is lost itself. */
TEST(a_successor_lost_before_the_switch_leaves_the_old_connection_sending)
{
    group group = group_new("rotation-successor-lost");
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    group_ask(&group, "refuse");
    group_ask(&group, "drop 2");
    CHECK_EQUAL(client_event(client, HW_EVENT_ROTATION, 1)->event.level, HW_ROTATION_FAILED);
    part.flags = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, " and ended", 10, &part, NULL), HW_OK);
    client_send(client, "next");
    group_await_seen(&group, "1 begun and ended\n1 next");
    connected_throughout(client);
    client_free(client);
    group_free(&group);
}

/* A rotation has failed and waits for its next try when the connection itself is lost: one attempt at a time follows. */
TEST(a_connection_lost_between_two_tries_is_made_anew)
{
    group group = group_new("rotation-lost-waiting");
    client *client = rotating();
    client_set(client, "reconnect.retry_after_max", "0");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "refuse");
    rotate(client);
    client_event(client, HW_EVENT_ROTATION, 1);
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_RECONNECTING, 0);
    group_ask(&group, "hold");
    group_ask(&group, "accept");
    client_state(client, HW_STATE_CONNECTED, 1);
    client_send(client, "again");
    AWAIT(strstr(group_ask(&group, "seen"), " again") != NULL);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 1);
    CHECK_EQUAL(client_metrics(client).reconnections, 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_OPENED), 2);
    client_free(client);
    group_free(&group);
}

TEST(connections_are_rotated_when_they_reach_an_age)
{
    group group = group_new("rotation-after");
    client *client = rotating();
    client_set(client, "rotate.after", "20ms");
    client_connect(client, group_url(&group, "raw", "&count="));
    AWAIT(client_metrics(client).rotations >= 5);
    connected_throughout(client);
    for (uint64_t i = 0; i < 5; i++) whole_rotation(client, 3 * i, i + 1);
    /* Up to a twentieth earlier than asked for. */
    for (size_t i = 0; i < 5; i++) {
        uint64_t opened_ns = client_event(client, HW_EVENT_OPENED, i)->event.time_ns;
        CHECK(client_event(client, HW_EVENT_ROTATION, 3 * i)->event.time_ns - opened_ns >= 19000000);
    }
    client_free(client);
    group_free(&group);
}

/* The shortest delay of reconnecting is an hour, and the server asks for more: only a notice that is heeded brings a connection in time. */
static client *heeding(const char *on_notice)
{
    client *new = rotating();
    client_set(new, "rotate.on_notice", on_notice);
    client_set(new, "reconnect.base", "1h");
    client_set(new, "reconnect.cap", "1h");
    client_set(new, "reconnect.jitter", "none");
    return new;
}

TEST(a_close_that_announces_a_restart_is_followed_at_once)
{
    const int codes[] = {1012, 1001};
    for (size_t i = 0; i < 2; i++) {
        char key[32];
        snprintf(key, sizeof key, "rotation-notice-%d", codes[i]);
        group group = group_new(key);
        client *client = heeding("all");
        client_connect(client, group_url(&group, "raw", ""));
        group_ask(&group, "close 1 %d", codes[i]);
        client_state(client, HW_STATE_CONNECTED, 1);
        CHECK_EQUAL(client_event(client, HW_EVENT_CLOSED, 0)->event.close_code, codes[i]);
        client_send(client, "here again");
        group_await_seen(&group, "2 here again");
        client_free(client);
        group_free(&group);
    }
}

/* What heeds no close code has the attempt wait; closing meanwhile ends it. */
TEST(a_close_is_no_notice_unless_it_is_asked_for)
{
    const char *choices[] = {"off", "rule"};
    for (size_t i = 0; i < 2; i++) {
        char key[32];
        snprintf(key, sizeof key, "rotation-no-notice-%s", choices[i]);
        group group = group_new(key);
        client *client = heeding(choices[i]);
        client_connect(client, group_url(&group, "raw", ""));
        group_ask(&group, "close 1 1012");
        client_state(client, HW_STATE_RECONNECTING, 0);
        CHECK_STATUS(hw_connection_rotate(client->connection), HW_OK);
        CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
        client_state(client, HW_STATE_DISCONNECTED, 0);
        CHECK_EQUAL(client_metrics(client).attempts, 1);
        CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 0);
        client_free(client);
        group_free(&group);
    }
}

/* A server that closes every connection with 1001 as soon as it is open is not to be stormed. */
TEST(notices_in_a_row_do_not_become_a_storm)
{
    client *client = heeding("all");
    client_open(client, server_url("ws", "/close?code=1001"));
    client_event(client, HW_EVENT_CLOSED, 0);
    check_threads_rest();
    CHECK(client_metrics(client).attempts <= 3);
    client_free(client);
}

TEST(advice_found_by_a_rule_rotates)
{
    static const char rule[] = "{\"reconnect\": {\"on\": [{\"prefix\": \"restart\"}]}}";
    group group = group_new("rotation-rule");
    client *client = heeding("rule");
    client_rule(client, rule);
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "text 1 restart soon");
    client_event(client, HW_EVENT_RECONNECT_ADVISED, 0);
    whole_rotation(client, 0, 1);
    group_ask(&group, "text 2 restart soon");
    whole_rotation(client, 3, 2);
    CHECK_TEXT(group_closes(&group, 2), "1 1000\n2 1000");
    connected_throughout(client);
    client_free(client);

    client = heeding("off");
    client_rule(client, rule);
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "text 4 restart soon");
    client_event(client, HW_EVENT_RECONNECT_ADVISED, 0);
    client_send(client, "the same");
    AWAIT(strstr(group_ask(&group, "seen"), "4 the same") != NULL);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 0);
    CHECK_EQUAL(client_metrics(client).attempts, 1);
    client_free(client);
    group_free(&group);
}

TEST(advice_may_name_another_url)
{
    group other = group_new("rotation-other-url"), group = group_new("rotation-url");
    client *client = heeding("rule");
    client_rule(client, "{\"reconnect\": {\"on\": [{\"json\": {\"/op\": \"move\"}}], \"url\": \"/to\"}}");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "text 1 {\"op\":\"move\",\"to\":\"%s\"}", group_url(&other, "raw", ""));
    whole_rotation(client, 0, 1);
    client_send(client, "moved");
    group_await_seen(&other, "1 moved");
    client_free(client);
    group_free(&other);
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

TEST(close_ends_a_rotation_that_is_connecting)
{
    group group = group_new("rotation-close-connecting");
    client *client = rotating_first(&group);
    group_ask(&group, "hold");
    rotate(client);
    group_ask(&group, "await 2");
    client_send(client, "last words");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(hw_connection_rotate(client->connection), HW_E_STATE);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_TEXT(group_closes(&group, 1), "1 1000");
    group_await_seen(&group, "1 last words");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 1);
    CHECK_STATUS(client_event(client, HW_EVENT_CLOSED, 0)->event.status, HW_OK);
    CHECK_STATUS(hw_connection_rotate(client->connection), HW_E_STATE);
    client_free(client);
    group_free(&group);
}

TEST(close_ends_a_rotation_whose_script_runs)
{
    group group = group_new("rotation-close-script");
    client *client = scripted_first(&group, rotating());
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    client_send(client, "last words");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    group_await_seen(&group, "1 last words");
    const char *closes = group_closes(&group, 2);
    CHECK_CONTAINS(closes, "1 1000");
    CHECK_CONTAINS(closes, "2 1001");
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 2);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ENGINE_STARTED), client_event_count(client, HW_EVENT_ENGINE_STOPPED));
    client_free(client);
    group_free(&group);
}

TEST(close_ends_a_rotation_before_the_switch)
{
    group group = group_new("rotation-close-switching");
    client *client = rotating_first(&group);
    hw_send_options part = {.struct_size = sizeof part, .flags = HW_SEND_MORE};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "begun", 5, &part, &part.message_id), HW_OK);
    rotate(client);
    client_event(client, HW_EVENT_OPENED, 1);
    part.flags = 0;
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_CONTAINS(group_closes(&group, 2), "2 1001");
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
}

/* Released at each step of a rotation, from outside and from inside the callback. */
static void release_inside(client *client, const record *latest)
{
    if (!latest->is_event || latest->event.kind != HW_EVENT_ROTATION) return;
    if (latest->event.level == *(hw_rotation *)client->hook_context) hw_connection_release(client->connection);
}

TEST(release_ends_a_rotation)
{
    group group = group_new("rotation-release");
    for (hw_rotation step = HW_ROTATION_STARTED; step <= HW_ROTATION_FINISHED; step++)
        for (int is_inside = 0; is_inside < 2; is_inside++) {
            client *client = rotating();
            client->hook = is_inside ? release_inside : NULL;
            client->hook_context = &step;
            client_connect(client, group_url(&group, "raw", "&count="));
            rotate(client);
            if (is_inside)
                client_await_released(client);
            else
                client_event(client, HW_EVENT_ROTATION, (size_t)step - 1);
            client_free(client);
        }
    group_free(&group);
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
