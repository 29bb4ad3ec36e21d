/*
 * Measures what rotation loses: numbered messages both ways, while the connection is replaced again and again.
 *
 * Usage: rotation URL SECONDS ROTATE_EVERY_MS MESSAGES_PER_S [PROPERTY=VALUE ...], against feed_server
 */
#define _GNU_SOURCE

#include "measure.h"
#include <pthread.h>
#include <stdatomic.h>

enum { NUMBERS_MAX = 1 << 23, BURSTS_PER_S = 1000 };

/* What has come, on the thread that delivers; main looks when the connection has ended. */
static struct {
    unsigned char *seen;
    uint64_t first, highest, doubled, received_ns, longest_pause_ns;
} feed;

static struct {
    hw_connection *connection;
    long messages_per_burst;
    atomic_int is_ending;
    uint64_t last, refused;
} sender;

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)connection, (void)context;
    for (size_t i = 0; i < count; i++) {
        char text[32] = {0};
        memcpy(text, messages[i].data, messages[i].size < sizeof text ? messages[i].size : sizeof text - 1);
        uint64_t number = strtoull(text + strlen("{\"n\":"), NULL, 10), pause = messages[i].received_ns - feed.received_ns;
        if (number >= NUMBERS_MAX)
            exit(1);
        if (feed.first == 0)
            feed.first = number;
        else if (messages[i].received_ns > feed.received_ns && pause > feed.longest_pause_ns)
            feed.longest_pause_ns = pause;
        feed.received_ns = messages[i].received_ns;
        feed.doubled += feed.seen[number];
        feed.seen[number] = 1;
        if (number > feed.highest)
            feed.highest = number;
    }
}

static void *send_numbers(void *context)
{
    (void)context;
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    while (!atomic_load(&sender.is_ending)) {
        for (long i = 0; i < sender.messages_per_burst; i++) {
            char text[32];
            int size = snprintf(text, sizeof text, "%llu", (unsigned long long)sender.last + 1);
            if (hw_connection_send(sender.connection, HW_TEXT, text, (size_t)size, NULL, NULL) == HW_OK)
                sender.last++;
            else
                sender.refused++;
        }
        due.tv_nsec += 1000000000 / BURSTS_PER_S;
        if (due.tv_nsec >= 1000000000) {
            due.tv_sec++;
            due.tv_nsec -= 1000000000;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    return NULL;
}

static void rotate_for(long seconds, long every_ms)
{
    struct timespec pause = {every_ms / 1000, every_ms % 1000 * 1000000};
    for (long i = 0; i < seconds * 1000 / every_ms; i++) {
        nanosleep(&pause, NULL);
        require(hw_connection_rotate(sender.connection), &(hw_error){0});
    }
    nanosleep(&pause, NULL);
}

static void print_figures(const hw_metrics *metrics)
{
    uint64_t lost = feed.highest - feed.first + 1;
    for (uint64_t number = feed.first; number <= feed.highest; number++)
        lost -= feed.seen[number];
    printf("{\"rotations\": %llu, \"reconnections\": %llu, \"in\": %llu, \"in_lost\": %llu, \"in_doubled\": %llu, \"left_out\": %llu, "
           "\"longest_pause_ms\": %.2f, \"sent\": %llu, \"refused\": %llu}\n",
           (unsigned long long)metrics->rotations, (unsigned long long)metrics->reconnections,
           (unsigned long long)(feed.highest - feed.first + 1), (unsigned long long)lost, (unsigned long long)feed.doubled,
           (unsigned long long)metrics->duplicates_dropped, (double)feed.longest_pause_ns / 1e6, (unsigned long long)sender.last,
           (unsigned long long)sender.refused);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    feed.seen = calloc(NUMBERS_MAX, 1);
    sender.messages_per_burst = strtol(argv[4], NULL, 10) / BURSTS_PER_S;
    hw_config *config = make_config(NULL);
    set_all(config, argv + 5);
    hw_config_on_messages(config, on_messages, NULL);
    sender.connection = open_connection(config, argv[1]);
    wait_for(sender.connection, HW_STATE_CONNECTED);
    pthread_t sending;
    pthread_create(&sending, NULL, send_numbers, NULL);
    rotate_for(strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
    atomic_store(&sender.is_ending, 1);
    pthread_join(sending, NULL);
    hw_connection_close(sender.connection, 1000, NULL);
    wait_for(sender.connection, HW_STATE_DISCONNECTED);
    hw_metrics metrics = {.struct_size = sizeof metrics};
    require(hw_connection_metrics(sender.connection, &metrics), &(hw_error){0});
    hw_connection_release(sender.connection);
    print_figures(&metrics);
    hw_config_free(config);
    free(feed.seen);
    return 0;
}
