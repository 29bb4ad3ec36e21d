/* The client of `heartwire demo`: trades come, orders go, and what the connection does is shown. */
#ifndef HEARTWIRE_TRADER_H
#define HEARTWIRE_TRADER_H

#include <heartwire.h>
#include <stdbool.h>
#include <stdint.h>

/* What has been shown so far. */
struct shown {
    hw_state state;
    uint64_t trades, epoch_trades; /* in all, and since the last loss */
    uint64_t skipped;              /* trades that did not follow the one before, but for the first after a loss */
    uint64_t answered;             /* heartbeat requests */
    uint64_t missed;               /* pings that were not answered */
    uint64_t losses, attempts_failed, gaps, rotations;
    uint64_t filled; /* orders */
};

/* All 0 to begin with. */
struct trader {
    hw_inbox *inbox;
    hw_connection *connection;
    int interrupts;
    uint64_t began_ms, progress_ms;
    struct shown shown;
    uint64_t trade_last, order_last, filled_last;
    uint64_t slowest_ns; /* answer */
    bool in_order;       /* orders were filled as they were sent */
    bool interrupted;
};

typedef bool trader_condition(const struct trader *trader, const struct shown *first);

/* Prepares to run; false: complained of. */
bool trader_begin(struct trader *trader);

/* Opens the connection to the exchange at the port; false: complained of. */
bool trader_open(struct trader *trader, uint16_t port);

/* Shows what happens until the condition holds, given what had been shown first. False: the time is up, or the trader was interrupted. */
bool trader_run(struct trader *trader, trader_condition *condition, const struct shown *first, uint64_t at_most_ms);

/* Sends an order. */
void trader_order(struct trader *trader);

/* Closes gracefully, and sums up. */
void trader_close(struct trader *trader);

void trader_end(struct trader *trader);

/* Prints a line with the time since the beginning. */
void trader_say(const struct trader *trader, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
