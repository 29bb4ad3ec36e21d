/* Log lines: which of them come, on which thread, and what they never hold. */
#include "client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the log callback has got. */
typedef struct {
    pthread_mutex_t lock;
    char *text; /* lines, each with its level before and a line end behind it */
    size_t size, capacity;
    _Atomic size_t lines;
    pthread_t thread;
    _Atomic int is_inside;
    _Atomic int is_blocked; /* it waits inside until this is 0 */
    _Atomic int ends_at;    /* the last line's number: with it the log is taken away */
    hw_log_level level_largest;
} receiver;

static void receive(hw_log_level level, const char *line, size_t size, void *context)
{
    receiver *receiver = context;
    receiver->is_inside = 1;
    CHECK(size > 0 && memchr(line, '\n', size) == NULL && memchr(line, '\0', size) == NULL);
    pthread_mutex_lock(&receiver->lock);
    if (receiver->size + size + 4 > receiver->capacity) {
        receiver->capacity = receiver->capacity * 2 + size + 4;
        receiver->text = realloc(receiver->text, receiver->capacity);
    }
    receiver->text[receiver->size++] = (char)('0' + level);
    receiver->text[receiver->size++] = ' ';
    memcpy(receiver->text + receiver->size, line, size);
    receiver->size += size;
    receiver->text[receiver->size++] = '\n';
    receiver->text[receiver->size] = '\0';
    receiver->thread = pthread_self();
    if (level > receiver->level_largest) receiver->level_largest = level;
    pthread_mutex_unlock(&receiver->lock);
    size_t number = ++receiver->lines;
    if (receiver->ends_at > 0 && number == (size_t)receiver->ends_at) CHECK_STATUS(hw_log(HW_LOG_OFF, NULL, NULL), HW_OK);
    while (receiver->is_blocked) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    receiver->is_inside = 0;
}

static void start(receiver *receiver, hw_log_level level)
{
    memset(receiver, 0, sizeof *receiver);
    pthread_mutex_init(&receiver->lock, NULL);
    CHECK_STATUS(hw_log(level, receive, receiver), HW_OK);
}

static void stop(receiver *receiver)
{
    CHECK_STATUS(hw_log(HW_LOG_OFF, NULL, NULL), HW_OK);
    free(receiver->text);
    pthread_mutex_destroy(&receiver->lock);
}

static int has(receiver *receiver, const char *text)
{
    pthread_mutex_lock(&receiver->lock);
    int found = receiver->text != NULL && strstr(receiver->text, text) != NULL;
    pthread_mutex_unlock(&receiver->lock);
    return found;
}

TEST(debug_shows_each_beat)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    client *client = client_new();
    client_rule(client, "{\"reply\":[{\"on\":{\"eq\":\"are you\\tthere?\"},\"send\":{\"body\":\"yes\"}}],"
                        "\"beat\":[{\"every\":\"10ms\",\"send\":{\"body\":\"!text pong\"},"
                        "\"ack\":{\"on\":{\"eq\":\"pong\"},\"within\":\"20s\"}}]}");
    client_connect(client, server_url("raw", "/obey?first=are%%20you%%09there?"));
    AWAIT(has(&receiver, ": heartbeat received: reply 0 [are you\\x09there?]\n"));
    AWAIT(has(&receiver, ": heartbeat responded, ") && has(&receiver, " us: reply 0\n"));
    AWAIT(has(&receiver, ": beat sent: beat 0 [!text pong]\n"));
    AWAIT(has(&receiver, ": beat acknowledged, ") && has(&receiver, " us: beat 0 [pong]\n"));
    CHECK(has(&receiver, " epoch 1: heartbeats started\n"));
    CHECK(has(&receiver, "3 connection "));
    CHECK(has(&receiver, ": opened\n"));
    client_free(client);
    stop(&receiver);
}

TEST(a_level_leaves_out_what_is_below_it)
{
    static const hw_log_level levels[] = {HW_LOG_ERROR, HW_LOG_WARNING, HW_LOG_INFO};
    for (int i = 0; i < 3; i++) {
        receiver receiver;
        start(&receiver, levels[i]);
        client *client = client_new();
        client_set(client, "reconnect.attempts_max", "2");
        client_set(client, "ping.interval", "1ms");
        client_open(client, server_url("refused", "/"));
        AWAIT(has(&receiver, "1 connection ") && has(&receiver, " epoch 0: failed: "));
        CHECK_EQUAL(has(&receiver, ": attempt failed: "), levels[i] >= HW_LOG_WARNING);
        CHECK_EQUAL(has(&receiver, ": reconnecting: "), levels[i] >= HW_LOG_INFO);
        client_free(client);
        CHECK(receiver.level_largest <= levels[i]);
        stop(&receiver);
    }
}

TEST(misses_and_health_are_logged)
{
    receiver receiver;
    start(&receiver, HW_LOG_INFO);
    client *client = client_new();
    client_set(client, "ping.interval", "20ms");
    client_set(client, "ping.timeout", "20ms");
    client_open(client, server_url("raw", "/silent"));
    AWAIT(has(&receiver, "2 connection ") && has(&receiver, ": beat missed, 1 in a row: ping\n"));
    AWAIT(has(&receiver, "3 connection ") && has(&receiver, ": health 0 -> 2\n"));
    AWAIT(has(&receiver, ": closed: 2 pings in a row went unanswered and nothing else arrived\n"));
    CHECK(!has(&receiver, "beat sent"));
    client_free(client);
    stop(&receiver);
}

static void remember_thread(client *client, const record *latest)
{
    (void)latest;
    atomic_store((_Atomic pthread_t *)client->hook_context, pthread_self());
}

TEST(lines_come_on_the_dispatchers_thread)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    _Atomic pthread_t dispatcher = 0;
    client *client = client_new();
    client->hook_context = (void *)&dispatcher;
    client->hook = remember_thread;
    client_connect(client, server_url("ws", "/echo"));
    client_event(client, HW_EVENT_OPENED, 0);
    AWAIT(has(&receiver, ": opened\n"));
    CHECK(pthread_equal(receiver.thread, dispatcher));
    client_free(client);
    stop(&receiver);
}

TEST(connections_that_deliver_elsewhere_are_logged_too)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_OK);
    AWAIT(has(&receiver, ": opened\n"));
    hw_connection_release(connection);
    hw_config_free(config);
    hw_inbox_release(inbox);
    stop(&receiver);
}

TEST(no_line_comes_once_the_log_is_off)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    client *client = client_new();
    client_set(client, "ping.interval", "1ms");
    client_connect(client, server_url("ws", "/echo"));
    /* Many lines wait behind the one that takes the log away. */
    receiver.is_blocked = 1;
    size_t before = receiver.lines;
    AWAIT(receiver.lines > before);
    receiver.ends_at = (int)receiver.lines + 2;
    uint64_t beats = client_metrics(client).beats_sent;
    AWAIT(client_metrics(client).beats_sent > beats + 50);
    receiver.is_blocked = 0;
    client_send(client, "after");
    client_message(client, 0);
    beats = client_metrics(client).beats_sent;
    AWAIT(client_metrics(client).beats_sent > beats + 50);
    CHECK_EQUAL(receiver.lines, receiver.ends_at);
    client_free(client);
    stop(&receiver);
}

/* From then on nobody is inside the callback, and nobody comes. */
static void *end_log(void *context)
{
    receiver *receiver = context;
    CHECK_STATUS(hw_log(HW_LOG_OFF, NULL, NULL), HW_OK);
    CHECK_EQUAL(receiver->is_inside, 0);
    receiver->ends_at = (int)receiver->lines;
    return NULL;
}

TEST(taking_the_log_away_waits_for_the_line_that_is_being_received)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    receiver.is_blocked = 1;
    client *client = client_new();
    client_set(client, "ping.interval", "1ms");
    client_open(client, server_url("ws", "/echo"));
    AWAIT(receiver.is_inside);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, end_log, &receiver), 0);
    AWAIT(client_metrics(client).beats_sent > 50);
    receiver.is_blocked = 0;
    pthread_join(thread, NULL);
    uint64_t beats = client_metrics(client).beats_sent;
    AWAIT(client_metrics(client).beats_sent > beats + 50);
    CHECK_EQUAL(receiver.lines, receiver.ends_at);
    client_free(client);
    stop(&receiver);
}

TEST(a_blocked_callback_loses_the_oldest_lines)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    receiver.is_blocked = 1;
    client *client = client_new();
    client_open(client, server_url("ws", "/ping?interval_ms=0"));
    AWAIT(client_metrics(client).pongs_sent > 5000);
    receiver.is_blocked = 0;
    AWAIT(has(&receiver, " log lines were dropped: the log callback is too slow\n"));
    client_free(client);
    stop(&receiver);
}

static void take_long(hw_log_level level, const char *line, size_t size, void *context)
{
    (void)level, (void)line, (void)size, (void)context;
    nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
}

TEST(a_slow_log_callback_does_not_keep_messages_back)
{
    CHECK_STATUS(hw_log(HW_LOG_DEBUG, take_long, NULL), HW_OK);
    client *client = client_new();
    client_set(client, "ping.interval", "1ms");
    client_connect(client, server_url("raw", "/obey"));
    AWAIT(client_metrics(client).beats_sent > 100);
    for (size_t i = 0; i < 3; i++) {
        client_send(client, "!text hello");
        client_message(client, i);
    }
    CHECK_STATUS(hw_log(HW_LOG_OFF, NULL, NULL), HW_OK);
    client_free(client);
}

static void check_holds_no_secret(receiver *receiver)
{
    CHECK(!has(receiver, "hunter2"));
    CHECK(!has(receiver, "aHVudGVy"));
    CHECK(!has(receiver, "token"));
}

TEST(no_line_holds_credentials)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    char with_password[512];
    const char *plain[] = {
        server_url("ws", "/status?code=503&token=hunter2"),
        server_url("ws", "/redirect?to=http://elsewhere/?token=hunter2"),
        server_url("refused", "/?token=hunter2"),
        server_url("raw", "/wrong-accept?token=hunter2"),
    };
    for (int i = 0; i < 4; i++) {
        snprintf(with_password, sizeof with_password, "ws://user:hunter2@%s", plain[i] + strlen("ws://"));
        client *client = client_new();
        client_set(client, "reconnect.attempts_max", "1");
        client_open(client, with_password);
        client_state(client, HW_STATE_FAILED, 0);
        client_free(client);
    }
    AWAIT(has(&receiver, "refused"));
    client *client = client_new();
    client_rule(client, "{\"reconnect\":{\"on\":[{\"has\":[\"/go\"]}],\"url\":\"/go\"}}");
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!text {\"go\":\"wss://user:hunter2@eventsub.example/ws?token=hunter2\"}");
    client_event(client, HW_EVENT_RECONNECT_ADVISED, 0);
    AWAIT(has(&receiver, ": reconnect advised: eventsub.example/ws\n"));
    check_holds_no_secret(&receiver);
    client_free(client);
    stop(&receiver);
}

TEST(no_line_holds_a_parameter)
{
    receiver receiver;
    start(&receiver, HW_LOG_DEBUG);
    client *client = client_new();
    client_rule(client, "{\"beat\":[{\"every\":\"10ms\",\"send\":{\"body\":\"${last.key} ${counter}\"},"
                        "\"ack\":{\"on\":{\"eq\":\"never\"},\"within\":\"5ms\"}}]}");
    client_set(client, "preset.parameters", "key=hunter2");
    client_set(client, "heartbeat.on_failure", "report");
    client_connect(client, server_url("raw", "/obey"));
    AWAIT(has(&receiver, ": beat sent: beat 0\n") && has(&receiver, ": beat missed, 2 in a row: beat 0\n"));
    CHECK_CONTAINS(client_frames_seen(client), "1 hunter2 2");
    check_holds_no_secret(&receiver);
    client_free(client);
    stop(&receiver);
}

TEST(only_levels_are_taken)
{
    CHECK_STATUS(hw_log(-1, receive, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_log(5, receive, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_log(HW_LOG_DEBUG, NULL, NULL), HW_OK);
    client *client = client_connected(server_url("ws", "/echo"));
    client_free(client);
}
