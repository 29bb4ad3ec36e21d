/*
 * Measures what sending messages costs: throughput, and CPU time of the whole process a message.
 *
 * Usage: send URL TEXTS SIZE MESSAGES [PROPERTY=VALUE ...]
 *
 * Sends texts of a file of texts of SIZE bytes as fast as the queue takes them, until the server says that it has got them all.
 */
#define _POSIX_C_SOURCE 200809L

#include "measure.h"
#include "texts.h"
#include <semaphore.h>

struct signals {
    sem_t writable, taken;
    double payload_bytes;
};

static void on_event(hw_connection *connection, const hw_event *event, void *context)
{
    struct signals *signals = context;
    (void)connection;
    if (event->kind == HW_EVENT_WRITABLE)
        sem_post(&signals->writable);
}

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    struct signals *signals = context;
    char report[32] = {0};
    (void)connection;
    if (count == 0 || messages[0].size >= sizeof report)
        return;
    memcpy(report, messages[0].data, messages[0].size);
    signals->payload_bytes = strtod(report, NULL);
    sem_post(&signals->taken);
}

static void send_one(hw_connection *connection, const char *text, size_t size, struct signals *signals)
{
    hw_status status;
    while ((status = hw_connection_send(connection, HW_TEXT, text, size, NULL, NULL)) == HW_E_FULL)
        sem_wait(&signals->writable);
    require(status, &(hw_error){0});
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    struct texts texts = load_texts(argv[2], strtoul(argv[3], NULL, 10));
    size_t wanted = strtoul(argv[4], NULL, 10);
    struct signals signals = {.payload_bytes = 0};
    sem_init(&signals.writable, 0, 0);
    sem_init(&signals.taken, 0, 0);
    hw_config *config = make_config(NULL);
    set_all(config, argv + 5);
    hw_config_on_event(config, on_event, &signals);
    hw_config_on_messages(config, on_messages, &signals);
    hw_connection *connection = open_connection(config, argv[1]);
    wait_for(connection, HW_STATE_CONNECTED);

    uint64_t cpu_start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID), start = read_clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < wanted; i++)
        send_one(connection, text_at(&texts, i), texts.size, &signals);
    sem_wait(&signals.taken);
    double cpu_ns = (double)(read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
    double wall_ns = (double)(read_clock_ns(CLOCK_MONOTONIC) - start), messages = (double)wanted;
    printf("{\"cpu_ns\": %.1f, \"messages_per_s\": %.1f, \"payload_bytes\": %.1f}\n", cpu_ns / messages, messages / wall_ns * 1e9,
           signals.payload_bytes / messages);
    close_connection(connection);
    hw_config_free(config);
    return 0;
}
