/* hw_metrics_write: the OpenMetrics text of all connections of the process. */
#include "client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The present text, to be freed. */
static char *metrics(void)
{
    size_t size = 0;
    CHECK_STATUS(hw_metrics_write(NULL, 0, &size), HW_E_BUFFER);
    for (size_t capacity = size + 1;; capacity = size + 1) {
        char *text = malloc(capacity);
        CHECK(text != NULL);
        hw_status status = hw_metrics_write(text, capacity, &size);
        if (status == HW_OK) {
            CHECK_EQUAL(strlen(text), size);
            return text;
        }
        CHECK_STATUS(status, HW_E_BUFFER);
        free(text);
    }
}

/* What a sample's line says after its name and labels; -1 if there is no such line. */
static double value(const char *sample)
{
    char line[256];
    int size = snprintf(line, sizeof line, "\nheartwire_%s ", sample);
    CHECK(size > 0 && (size_t)size < sizeof line);
    char *text = metrics();
    const char *found = strstr(text, line);
    double result = found == NULL ? -1 : strtod(found + size, NULL);
    free(text);
    return result;
}

static client *named(const char *name)
{
    client *client = client_new();
    client_set(client, "metrics.name", name);
    return client;
}

TEST(without_connections_there_are_families_and_no_samples)
{
    char *text = metrics();
    CHECK(strncmp(text, "# TYPE heartwire_", 17) == 0);
    CHECK(strstr(text, "\nheartwire_") == NULL);
    CHECK_TEXT(strstr(text, "# EOF"), "# EOF\n");
    free(text);
}

TEST(a_buffer_is_filled_or_left_alone)
{
    size_t size = 0;
    CHECK_STATUS(hw_metrics_write(NULL, 0, &size), HW_E_BUFFER);
    CHECK(size > 1000);
    char *text = malloc(size + 2);
    CHECK(text != NULL);
    const size_t too_small[] = {0, 1, size - 1, size};
    for (size_t i = 0; i < sizeof too_small / sizeof *too_small; i++) {
        memset(text, 'x', size + 2);
        size_t needed = 0;
        CHECK_STATUS(hw_metrics_write(text, too_small[i], &needed), HW_E_BUFFER);
        CHECK_EQUAL(needed, size);
        for (size_t at = 0; at < size + 2; at++) CHECK_EQUAL(text[at], 'x');
    }
    CHECK_STATUS(hw_metrics_write(text, size + 1, NULL), HW_OK);
    CHECK_EQUAL(strlen(text), size);
    CHECK_EQUAL(text[size + 1], 'x');
    size_t untouched = 77;
    CHECK_STATUS(hw_metrics_write(NULL, 1, &untouched), HW_E_ARGUMENT);
    CHECK_STATUS(hw_metrics_write(text, SIZE_MAX, &untouched), HW_E_ARGUMENT);
    CHECK_EQUAL(untouched, 77);
    free(text);
}

TEST(states_and_messages_of_a_connection)
{
    client *client = named("feed");
    CHECK_EQUAL(value("connections{connection=\"feed\",state=\"connected\"}"), -1);
    client_connect(client, server_url("ws", "/echo"));
    CHECK_EQUAL(value("connections{connection=\"feed\",state=\"connected\"}"), 1);
    CHECK_EQUAL(value("connections{connection=\"feed\",state=\"failed\"}"), 0);
    CHECK_EQUAL(value("last_message_age_seconds{connection=\"feed\"}"), -1);
    client_send(client, "hello");
    client_message(client, 0);
    CHECK_EQUAL(value("messages_sent_total{connection=\"feed\"}"), 1);
    CHECK_EQUAL(value("messages_received_total{connection=\"feed\"}"), 1);
    CHECK_EQUAL(value("received_bytes_total{connection=\"feed\"}"), client_metrics(client).bytes_received);
    CHECK_EQUAL(value("sent_bytes_total{connection=\"feed\"}"), client_metrics(client).bytes_sent);
    CHECK_EQUAL(value("attempts_total{connection=\"feed\"}"), 1);
    CHECK(value("last_message_age_seconds{connection=\"feed\"}") > 0);
    client_free(client);
}

TEST(reconnections_and_failed_attempts_count)
{
    client *dropped = named("dropped"), *refused = named("refused");
    client_connect(dropped, server_url("ws", "/drop-once?key=metrics"));
    client_send(dropped, "away with me");
    client_state(dropped, HW_STATE_CONNECTED, 1);
    CHECK_EQUAL(value("reconnections_total{connection=\"dropped\"}"), 1);
    CHECK_EQUAL(value("connections{connection=\"dropped\",state=\"connected\"}"), 1);
    client_open(refused, server_url("refused", "/"));
    client_send(refused, "12345");
    client_event(refused, HW_EVENT_ATTEMPT_FAILED, 1);
    CHECK(value("attempts_failed_total{connection=\"refused\"}") >= 2);
    CHECK_EQUAL(value("connections{connection=\"refused\",state=\"reconnecting\"}"), 1);
    CHECK_EQUAL(value("queue_messages{connection=\"refused\"}"), 1);
    CHECK_EQUAL(value("queue_bytes{connection=\"refused\"}"), 5);
    client_free(dropped);
    client_free(refused);
}

TEST(beats_count_over_all_connections_of_a_handle)
{
    client *client = named("beating");
    client_set(client, "ping.interval", "10ms");
    client_connect(client, server_url("ws", "/drop-once?key=beating"));
    client_event(client, HW_EVENT_BEAT_ACKED, 2);
    double before = value("round_trip_seconds_count{connection=\"beating\"}");
    CHECK(before >= 3);
    CHECK(value("round_trip_seconds_sum{connection=\"beating\"}") > 0);
    CHECK(value("last_round_trip_seconds{connection=\"beating\"}") > 0);
    client_send(client, "away with me");
    client_state(client, HW_STATE_CONNECTED, 1);
    CHECK(value("round_trip_seconds_count{connection=\"beating\"}") >= before);
    AWAIT(value("round_trip_seconds_bucket{connection=\"beating\",le=\"+Inf\"}") > before);
    client_free(client);
}

TEST(missed_and_late_beats_count)
{
    client *client = named("mute");
    client_set(client, "ping.interval", "20ms");
    client_set(client, "ping.timeout", "20ms");
    client_set(client, "ping.missed_max", "1000");
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!mute");
    client_event(client, HW_EVENT_BEAT_MISSED, 2);
    CHECK(value("beats_missed_total{connection=\"mute\"}") >= 3);
    CHECK(value("beats_sent_total{connection=\"mute\"}") >= 3);
    client_free(client);
}

TEST(what_released_connections_have_counted_stays)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (int i = 0; i < 6; i++) {
        client *client = named("again");
        client_set(client, "delivery", deliveries[i % 2]);
        client_connect(client, server_url("ws", "/echo"));
        client_send(client, "hello");
        client_message(client, 0);
        CHECK_EQUAL(value("messages_received_total{connection=\"again\"}"), i + 1);
        double sent = value("sent_bytes_total{connection=\"again\"}");
        client_free(client);
        /* The close frame is counted too. */
        CHECK(value("sent_bytes_total{connection=\"again\"}") >= sent);
        CHECK_EQUAL(value("messages_received_total{connection=\"again\"}"), i + 1);
        CHECK_EQUAL(value("connections{connection=\"again\",state=\"connected\"}"), -1);
        CHECK_EQUAL(value("queue_messages{connection=\"again\"}"), -1);
    }
}

TEST(at_most_a_hundred_names)
{
    enum { CLIENTS = 120 };
    client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "name %d", i);
        clients[i] = named(name);
        client_open(clients[i], server_url("ws", "/echo"));
    }
    for (int i = 0; i < CLIENTS; i++) client_state(clients[i], HW_STATE_CONNECTED, 0);
    CHECK_EQUAL(value("connections{connection=\"name 0\",state=\"connected\"}"), 1);
    CHECK_EQUAL(value("connections{connection=\"name 99\",state=\"connected\"}"), 1);
    CHECK_EQUAL(value("connections{connection=\"name 100\",state=\"connected\"}"), -1);
    CHECK_EQUAL(value("connections{connection=\"other\",state=\"connected\"}"), 20);
    for (int i = 0; i < CLIENTS; i++) client_free(clients[i]);
    CHECK_EQUAL(value("attempts_total{connection=\"other\"}"), 20);
}

TEST(names_are_checked_and_escaped)
{
    char too_long[130] = {0};
    memset(too_long, 'x', sizeof too_long - 1);
    const char *wrong[] = {"line\nbreak", "\x7f", too_long};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        client *client = named(wrong[i]);
        hw_error error = {.struct_size = sizeof error};
        CHECK_STATUS(hw_connection_open(client->config, server_url("ws", "/echo"), &client->connection, &error), HW_E_VALUE);
        CHECK(strstr(error.message, "metrics.name") != NULL);
        client_free(client);
    }
    client *client = named("a\"b\\c");
    client_connect(client, server_url("ws", "/echo"));
    CHECK_EQUAL(value("attempts_total{connection=\"a\\\"b\\\\c\"}"), 1);
    client_free(client);
}

static _Atomic int is_over;

static void *open_and_release(void *context)
{
    const hw_config *config = context;
    while (!is_over) {
        hw_connection *connection = NULL;
        CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_OK);
        hw_connection_wait(connection, HW_STATE_CONNECTED, PATIENCE_MS, NULL);
        hw_connection_release(connection);
    }
    return NULL;
}

TEST(counters_never_go_back_while_connections_come_and_go)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_set(config, "metrics.name", "busy", NULL), HW_OK);
    for (int i = 0; i < THREADS; i++) CHECK_EQUAL(pthread_create(&threads[i], NULL, open_and_release, config), 0);
    /* Before the first has opened there is no such name. */
    double attempts = -1, sent = -1;
    while (attempts < 150) {
        double attempts_now = value("attempts_total{connection=\"busy\"}"), sent_now = value("sent_bytes_total{connection=\"busy\"}");
        CHECK(attempts_now >= attempts && sent_now >= sent);
        if (attempts_now > attempts) attempts = attempts_now;
        if (sent_now > sent) sent = sent_now;
    }
    is_over = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    hw_config_free(config);
}

static void write_from_inside(client *client, const record *latest)
{
    if (latest->is_event && latest->event.kind == HW_EVENT_OPENED) free(metrics());
    (void)client;
}

TEST(from_inside_a_callback)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        client->hook = write_from_inside;
        client_set(client, "delivery", deliveries[i]);
        client_connect(client, server_url("ws", "/echo"));
        client_event(client, HW_EVENT_OPENED, 0);
        client_free(client);
    }
}

TEST(a_forked_child_counts_its_own)
{
    client *client = named("parent");
    client_connect(client, server_url("ws", "/echo"));
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQUAL(value("attempts_total{connection=\"parent\"}"), -1);
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(value("attempts_total{connection=\"parent\"}"), 1);
    client_free(client);
}
