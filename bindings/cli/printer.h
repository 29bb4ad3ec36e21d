/* What is printed of messages and events. */
#ifndef HEARTWIRE_PRINTER_H
#define HEARTWIRE_PRINTER_H

#include <heartwire.h>
#include <stdbool.h>

/* Set json and terminal; the rest is 0 to begin with. */
struct printer {
    bool json;
    bool terminal;  /* standard output is one: control characters of messages are made visible */
    bool line_open; /* a message's first parts were printed, its last not */
    bool connected; /* it has been */
};

/* client: the number of the client that has sent it, 0 for a server's. */
void print_message(struct printer *printer, uint64_t client, const hw_message *message);

/* Prints the event, as was asked for: as an object among the messages, or as a line on standard error. client as above. */
void print_event(const struct printer *printer, uint64_t client, const hw_event *event);

/* For those who did not ask for events: a line on standard error about a connection's trouble, or the end of it. */
void print_notice(const struct printer *printer, const hw_event *event);

/* What a server that refused the opening handshake said of it: the first lines of its answer's body, on standard error. */
void print_answer(const hw_event *event);

#endif
