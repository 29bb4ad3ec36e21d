/* The lines of --stats. */
#include "stats.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "events.h"

enum { INTERVAL_MS = 1000 };

struct stats stats_begin(void)
{
    uint64_t now = clock_ms();
    return (struct stats){.due_ms = now + INTERVAL_MS, .last_ms = now};
}

/* Prints how many messages came and went, and how many of them in each second since the line before. */
static void print_rates(struct stats *stats, uint64_t received, uint64_t sent)
{
    uint64_t now = clock_ms();
    double seconds = now > stats->last_ms ? (double)(now - stats->last_ms) / 1000 : 1;
    fprintf(stderr, "; in %" PRIu64 " (%.0f/s); out %" PRIu64 " (%.0f/s)", received, (double)(received - stats->last_received) / seconds,
            sent, (double)(sent - stats->last_sent) / seconds);
    stats->last_ms = now;
    stats->last_received = received;
    stats->last_sent = sent;
    /* A program that was stopped for a while does not make up for the lines it has missed. */
    stats->due_ms += INTERVAL_MS;
    if (stats->due_ms <= now)
        stats->due_ms = now + INTERVAL_MS;
}

void stats_print(struct stats *stats, hw_connection *connection)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    if (hw_connection_metrics(connection, &metrics) != HW_OK)
        return;
    char round_trip[32] = "-";
    if (metrics.rtt_last_ns > 0)
        snprintf(round_trip, sizeof round_trip, "%.2f ms", (double)metrics.rtt_last_ns / 1e6);
    fflush(stdout);
    fputs(state_name(metrics.state), stderr);
    print_rates(stats, metrics.messages_received, metrics.messages_sent);
    fprintf(stderr, ", waiting %" PRIu64 "; round trip %s; beats %" PRIu64 ", missed %" PRIu64 "; reconnected %" PRIu64 "\n",
            metrics.queue_messages, round_trip, metrics.beats_sent, metrics.beats_missed, metrics.reconnections);
}

void stats_print_totals(struct stats *stats, const struct totals *totals)
{
    fflush(stdout);
    fprintf(stderr, "clients %" PRIu64, totals->clients);
    print_rates(stats, totals->received, totals->sent);
    fprintf(stderr, ", waiting %" PRIu64 "; beats %" PRIu64 ", missed %" PRIu64 "\n", totals->waiting, totals->beats, totals->missed);
}
