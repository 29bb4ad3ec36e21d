/* The lines of `heartwire connect --stats`. */
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

void stats_print(struct stats *stats, hw_connection *connection)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    if (hw_connection_metrics(connection, &metrics) != HW_OK)
        return;
    uint64_t now = clock_ms();
    double seconds = now > stats->last_ms ? (double)(now - stats->last_ms) / 1000 : 1;
    char round_trip[32] = "-";
    if (metrics.rtt_last_ns > 0)
        snprintf(round_trip, sizeof round_trip, "%.2f ms", (double)metrics.rtt_last_ns / 1e6);
    fflush(stdout);
    fprintf(stderr,
            "%s; in %" PRIu64 " (%.0f/s); out %" PRIu64 " (%.0f/s), waiting %" PRIu64 "; round trip %s; beats %" PRIu64 ", missed %" PRIu64
            "; reconnected %" PRIu64 "\n",
            state_name(metrics.state), metrics.messages_received, (double)(metrics.messages_received - stats->last_received) / seconds,
            metrics.messages_sent, (double)(metrics.messages_sent - stats->last_sent) / seconds, metrics.queue_messages, round_trip,
            metrics.beats_sent, metrics.beats_missed, metrics.reconnections);
    stats->last_ms = now;
    stats->last_received = metrics.messages_received;
    stats->last_sent = metrics.messages_sent;
    /* A program that was stopped for a while does not make up for the lines it has missed. */
    stats->due_ms += INTERVAL_MS;
    if (stats->due_ms <= now)
        stats->due_ms = now + INTERVAL_MS;
}
