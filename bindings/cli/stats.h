/* The lines of --stats. */
#ifndef HEARTWIRE_STATS_H
#define HEARTWIRE_STATS_H

#include <heartwire.h>

/* What rates are reckoned from. All 0 but due_ms to begin with. */
struct stats {
    uint64_t due_ms; /* when the next line is due */
    uint64_t last_ms, last_received, last_sent;
};

/* What a server has done with all its clients. */
struct totals {
    uint64_t clients;        /* now */
    uint64_t received, sent; /* messages; sent are those that were taken to be sent */
    uint64_t waiting;        /* messages in the clients' queues now */
    uint64_t beats, missed;
};

struct stats stats_begin(void);

/* Each prints a line on standard error. The next is due a second after this one was. */
void stats_print(struct stats *stats, hw_connection *connection);
void stats_print_totals(struct stats *stats, const struct totals *totals);

#endif
