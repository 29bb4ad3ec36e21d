/*
 * Measures the time from hw_connection_open to the connected state, one connection after the other.
 *
 * Usage: connect URL ROUNDS [CA_FILE]
 */
#define _POSIX_C_SOURCE 200809L

#include "measure.h"

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    size_t rounds = strtoul(argv[2], NULL, 10);
    uint64_t *durations_ns = calloc(rounds, sizeof *durations_ns);
    hw_config *config = make_config(argc > 3 ? argv[3] : NULL);
    /* The first connection starts the library's threads and warms its caches; it is not counted. */
    hw_connection *first = open_connection(config, argv[1]);
    wait_for(first, HW_STATE_CONNECTED);
    close_connection(first);

    uint64_t cpu_ns = 0;
    for (size_t i = 0; i < rounds; i++) {
        uint64_t cpu_start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID), start = read_clock_ns(CLOCK_MONOTONIC);
        hw_connection *connection = open_connection(config, argv[1]);
        wait_for(connection, HW_STATE_CONNECTED);
        durations_ns[i] = read_clock_ns(CLOCK_MONOTONIC) - start;
        cpu_ns += read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
        close_connection(connection);
    }
    qsort(durations_ns, rounds, sizeof *durations_ns, compare);
    printf("{\"median_us\": %.1f, \"p99_us\": %.1f, \"cpu_us\": %.1f}\n", (double)durations_ns[rounds / 2] / 1e3,
           (double)durations_ns[rounds * 99 / 100] / 1e3, (double)cpu_ns / 1e3 / (double)rounds);
    hw_config_free(config);
    free(durations_ns);
    return 0;
}
