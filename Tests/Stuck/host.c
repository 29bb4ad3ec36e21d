/*
 * A program whose message callback sleeps, and with it the library's dispatcher.
 *
 * Usage: host URL CONNECTIONS SECONDS   prints how often the connections were lost, as JSON.
 */
#define _POSIX_C_SOURCE 200809L

#include "descriptors.h"
#include "measure.h"
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct sleeper {
    time_t seconds;
    atomic_bool may_sleep;
    int has_slept;
    sem_t awake;
};

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    struct sleeper *sleeper = context;
    (void)connection, (void)messages, (void)count;
    if (sleeper->has_slept || !atomic_load(&sleeper->may_sleep))
        return;
    sleeper->has_slept = 1;
    /* Half a second more, or it would leave just as the server asks again. */
    nanosleep(&(struct timespec){.tv_sec = sleeper->seconds, .tv_nsec = 500000000}, NULL);
    sem_post(&sleeper->awake);
}

static uint64_t reconnections_of(hw_connection *connection)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    require(hw_connection_metrics(connection, &metrics), &(hw_error){0});
    return metrics.reconnections;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    raise_descriptor_limit();
    size_t count = strtoul(argv[2], NULL, 10);
    struct sleeper sleeper = {.seconds = strtol(argv[3], NULL, 10)};
    sem_init(&sleeper.awake, 0, 0);
    hw_config *config = make_config(NULL);
    set(config, "preset", "deribit");
    hw_config_on_messages(config, on_messages, &sleeper);

    hw_connection **connections = calloc(count, sizeof *connections);
    for (size_t i = 0; i < count; i++)
        connections[i] = open_connection(config, argv[1]);
    /* However long that takes: each of them is to be asked as often. */
    for (size_t i = 0; i < count; i++)
        wait_for(connections[i], HW_STATE_CONNECTED);
    atomic_store(&sleeper.may_sleep, true);
    sem_wait(&sleeper.awake);

    uint64_t reconnections = 0;
    for (size_t i = 0; i < count; i++) {
        reconnections += reconnections_of(connections[i]);
        hw_connection_close(connections[i], 1000, NULL);
    }
    for (size_t i = 0; i < count; i++)
        close_connection(connections[i]);
    printf("{\"reconnections\": %llu}\n", (unsigned long long)reconnections);
    hw_config_free(config);
    free(connections);
    return 0;
}
