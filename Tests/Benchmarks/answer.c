/*
 * Lets the library answer the requests of answer_server, and prints what it measured itself: from a request's arrival to its answer in the
 * kernel.
 *
 * Usage: answer URL CONNECTIONS [PROPERTY=VALUE ...]
 */
#define _POSIX_C_SOURCE 200809L

#include "descriptors.h"
#include "measure.h"
#include <semaphore.h>

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)connection;
    for (size_t i = 0; i < count; i++)
        if (messages[i].size == 4 && memcmp(messages[i].data, "done", 4) == 0)
            sem_post(context);
}

/* The median of the first connection, and the worst of any. */
static void print_figures(hw_connection **connections, size_t count)
{
    uint64_t median = 0, p99 = 0, p999 = 0, max = 0;
    for (size_t i = 0; i < count; i++) {
        hw_health health = {.struct_size = sizeof health};
        require(hw_connection_health(connections[i], &health), &(hw_error){0});
        if (i == 0)
            median = health.responses_median_ns;
        p99 = health.responses_p99_ns > p99 ? health.responses_p99_ns : p99;
        p999 = health.responses_p999_ns > p999 ? health.responses_p999_ns : p999;
        max = health.responses_max_ns > max ? health.responses_max_ns : max;
    }
    printf("{\"own_median_us\": %.1f, \"own_p99_us\": %.1f, \"own_p999_us\": %.1f, \"own_max_us\": %.1f}\n", (double)median / 1e3,
           (double)p99 / 1e3, (double)p999 / 1e3, (double)max / 1e3);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    raise_descriptor_limit();
    size_t count = strtoul(argv[2], NULL, 10);
    sem_t done;
    sem_init(&done, 0, 0);
    hw_config *config = make_config(NULL);
    set(config, "preset", "deribit");
    set_all(config, argv + 3);
    hw_config_on_messages(config, on_messages, &done);
    hw_connection **connections = calloc(count, sizeof *connections);
    for (size_t i = 0; i < count; i++)
        connections[i] = open_connection(config, argv[1]);
    for (size_t i = 0; i < count; i++)
        sem_wait(&done);

    print_figures(connections, count);
    for (size_t i = 0; i < count; i++)
        close_connection(connections[i]);
    hw_config_free(config);
    free(connections);
    return 0;
}
