/* The lines of `heartwire connect --stats`. */
#ifndef HEARTWIRE_STATS_H
#define HEARTWIRE_STATS_H

#include <heartwire.h>

/* What rates are reckoned from. All 0 but due_ms to begin with. */
struct stats {
    uint64_t due_ms; /* when the next line is due */
    uint64_t last_ms, last_received, last_sent;
};

struct stats stats_begin(void);

/* Prints a line on standard error. The next is due a second after this one was. */
void stats_print(struct stats *stats, hw_connection *connection);

#endif
