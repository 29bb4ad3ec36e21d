/*
 * Measures what receiving a flood of messages costs: throughput, and CPU time of the whole process a message.
 *
 * Usage: recv URL inline|dispatcher|inbox MESSAGES [PROPERTY=VALUE ...]
 */
#define _POSIX_C_SOURCE 200809L

#include "measure.h"
#include <semaphore.h>

enum { BATCH_MAX = 256 };

/* Counted by the one thread that delivers; main looks only after `done`. */
struct tally {
    uint64_t messages, bytes, wanted;
    sem_t done;
};

static void count(struct tally *tally, const hw_message *message)
{
    tally->bytes += message->size;
    if (++tally->messages == tally->wanted)
        sem_post(&tally->done);
}

static void on_messages(hw_connection *connection, const hw_message *messages, size_t size, void *context)
{
    (void)connection;
    for (size_t i = 0; i < size; i++)
        count(context, &messages[i]);
}

static void drain(hw_inbox *inbox, struct tally *tally)
{
    static hw_delivery deliveries[BATCH_MAX];
    while (tally->messages < tally->wanted) {
        size_t size = 0;
        if (hw_inbox_take(inbox, deliveries, BATCH_MAX, &size, 20000) != HW_OK)
            exit(1);
        for (size_t i = 0; i < size; i++)
            if (deliveries[i].event == NULL)
                count(tally, &deliveries[i].message);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct tally tally = {.wanted = strtoull(argv[3], NULL, 10)};
    sem_init(&tally.done, 0, 0);
    hw_config *config = make_config(NULL);
    set_all(config, argv + 4);
    hw_inbox *inbox = NULL;
    if (strcmp(argv[2], "inbox") == 0) {
        require(hw_inbox_new(NULL, &inbox), &(hw_error){0});
        require(hw_config_set_inbox(config, inbox, NULL), &(hw_error){0});
    } else {
        set(config, "delivery", argv[2]);
        hw_config_on_messages(config, on_messages, &tally);
    }

    uint64_t cpu_start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID), start = read_clock_ns(CLOCK_MONOTONIC);
    hw_connection *connection = open_connection(config, argv[1]);
    if (inbox != NULL)
        drain(inbox, &tally);
    else
        sem_wait(&tally.done);
    double cpu_ns = (double)(read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
    double wall_ns = (double)(read_clock_ns(CLOCK_MONOTONIC) - start);
    printf("{\"cpu_ns\": %.1f, \"messages_per_s\": %.0f}\n", cpu_ns / (double)tally.messages, (double)tally.messages / wall_ns * 1e9);
    close_connection(connection);
    hw_inbox_release(inbox);
    hw_config_free(config);
    return 0;
}
