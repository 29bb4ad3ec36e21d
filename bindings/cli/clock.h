/* The clock that waiting and rates go by. */
#ifndef HEARTWIRE_CLOCK_H
#define HEARTWIRE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t clock_ms(void);

#endif
