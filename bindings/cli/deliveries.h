/* What waits in an inbox. */
#ifndef HEARTWIRE_DELIVERIES_H
#define HEARTWIRE_DELIVERIES_H

#include <heartwire.h>

/*
 * Takes what waits, no more than a batch of it, so that input and Ctrl-C have their turn in a flood. Answers how many there are, 0 if none;
 * borrowed until the next call, of the one thread that makes them.
 */
size_t take_deliveries(hw_inbox *inbox, const hw_delivery **deliveries);

#endif
