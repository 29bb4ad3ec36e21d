/* Events as records. */
#ifndef HEARTWIRE_EVENTS_H
#define HEARTWIRE_EVENTS_H

#include <heartwire.h>
#include <stdbool.h>
#include <stdio.h>

/* "connected", "failed", ... */
const char *state_name(hw_state state);

/* Writes the event as one line; members that would be zero or empty are left out. client: its number in a server, or 0. */
void write_event(FILE *file, bool json, uint64_t client, const hw_event *event);

#endif
