/* The clock that waiting and rates go by. */
#define _POSIX_C_SOURCE 200809L

#include "clock.h"

#include <time.h>

uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int milliseconds_until(uint64_t due_ms, int at_most)
{
    enum { MINUTE_MS = 60000 };
    uint64_t now = clock_ms();
    uint64_t left = due_ms > now ? due_ms - now : 0;
    return at_most >= 0 && left > (uint64_t)at_most ? at_most : left > MINUTE_MS ? MINUTE_MS : (int)left;
}
