/*
 * Measures the CPU time that idle connections with beats cost the client process.
 *
 * Usage: beats URL CONNECTIONS SECONDS RULE [PROPERTY=VALUE ...]   RULE may be empty.
 */
#define _POSIX_C_SOURCE 200809L

#include "descriptors.h"
#include "measure.h"

static uint64_t beats_sent(hw_connection **connections, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        hw_metrics metrics = {.struct_size = sizeof metrics};
        require(hw_connection_metrics(connections[i], &metrics), &(hw_error){0});
        sum += metrics.beats_sent;
    }
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    raise_descriptor_limit();
    size_t count = strtoul(argv[2], NULL, 10);
    time_t seconds = strtol(argv[3], NULL, 10);
    hw_config *config = make_config(NULL);
    hw_error error = {.struct_size = sizeof error};
    if (argv[4][0] != 0)
        require(hw_config_add_rule(config, argv[4], strlen(argv[4]), &error), &error);
    set_all(config, argv + 5);
    hw_connection **connections = calloc(count, sizeof *connections);
    for (size_t i = 0; i < count; i++)
        connections[i] = open_connection(config, argv[1]);
    for (size_t i = 0; i < count; i++)
        wait_for(connections[i], HW_STATE_CONNECTED);

    uint64_t beats = beats_sent(connections, count), cpu_start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t start = read_clock_ns(CLOCK_MONOTONIC);
    nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
    double cpu_ns = (double)(read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
    double wall_ns = (double)(read_clock_ns(CLOCK_MONOTONIC) - start);
    beats = beats_sent(connections, count) - beats;
    printf("{\"cpu_percent\": %.2f, \"beats_per_s\": %.0f, \"cpu_us_per_beat\": %.2f}\n", cpu_ns / wall_ns * 100,
           (double)beats / wall_ns * 1e9, beats == 0 ? 0 : cpu_ns / 1e3 / (double)beats);

    for (size_t i = 0; i < count; i++)
        hw_connection_close(connections[i], 1000, NULL);
    for (size_t i = 0; i < count; i++)
        close_connection(connections[i]);
    hw_config_free(config);
    free(connections);
    return 0;
}
