/* What `heartwire connect` prints of messages and events. */
#ifndef HEARTWIRE_PRINTER_H
#define HEARTWIRE_PRINTER_H

#include <heartwire.h>
#include <stdbool.h>

/* Set json, events and terminal; the rest is 0 to begin with. */
struct printer {
    bool json, events;
    bool terminal;  /* standard output is one: control characters of messages are made visible */
    bool line_open; /* a message's first parts were printed, its last not */
    bool connected; /* it has been */
};

void print_message(struct printer *printer, const hw_message *message);

/* Prints the event if events were asked for, else a line on standard error if it is trouble or the end of it. */
void print_event(struct printer *printer, const hw_event *event);

#endif
