/*
 * Measures how long after restarting_server listens again the connection is back.
 *
 * Usage: reconnect URL RESTARTS [PROPERTY=VALUE ...]
 */
#define _POSIX_C_SOURCE 200809L

#include "measure.h"
#include <semaphore.h>

/* Touched by the I/O thread alone until `done`. */
struct log {
    size_t count, restarts;
    uint64_t opened_ns, *delays_ns;
    sem_t done;
};

static void on_event(hw_connection *connection, const hw_event *event, void *context)
{
    (void)connection;
    if (event->kind == HW_EVENT_OPENED)
        ((struct log *)context)->opened_ns = event->time_ns;
}

/* The server's message says when it began to listen; anything that is sent back kills it. The first connection does not count. */
static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)count;
    struct log *log = context;
    char digits[32] = {0};
    memcpy(digits, messages[0].data, messages[0].size < sizeof digits ? messages[0].size : sizeof digits - 1);
    if (messages[0].epoch > 1 && log->count < log->restarts)
        log->delays_ns[log->count++] = log->opened_ns - strtoull(digits, NULL, 10);
    if (log->count == log->restarts)
        sem_post(&log->done);
    else
        hw_connection_send(connection, HW_TEXT, "die", 3, NULL, NULL);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct log log = {.restarts = strtoul(argv[2], NULL, 10)};
    log.delays_ns = calloc(log.restarts, sizeof *log.delays_ns);
    sem_init(&log.done, 0, 0);
    hw_config *config = make_config(NULL);
    set(config, "delivery", "inline");
    set_all(config, argv + 3);
    hw_config_on_event(config, on_event, &log);
    hw_config_on_messages(config, on_messages, &log);
    hw_connection *connection = open_connection(config, argv[1]);
    sem_wait(&log.done);
    hw_connection_release(connection);
    qsort(log.delays_ns, log.restarts, sizeof *log.delays_ns, compare);
    printf("{\"median_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n", (double)log.delays_ns[log.restarts / 2] / 1e6,
           (double)log.delays_ns[log.restarts * 99 / 100] / 1e6, (double)log.delays_ns[log.restarts - 1] / 1e6);
    hw_config_free(config);
    free(log.delays_ns);
    return 0;
}
