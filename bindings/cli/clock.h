/* The clock that waiting and rates go by. */
#ifndef HEARTWIRE_CLOCK_H
#define HEARTWIRE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t clock_ms(void);

/* For poll(2): how long until due_ms, no more than a minute, nor than at_most unless that is negative. */
int milliseconds_until(uint64_t due_ms, int at_most);

#endif
