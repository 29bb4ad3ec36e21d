/* The exchange that `heartwire demo` talks to: this program itself, as a process of its own that can be killed and frozen. */
#ifndef HEARTWIRE_CHILD_H
#define HEARTWIRE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    pid_t process; /* 0: there is none */
    uint16_t port;
};

/* Starts `heartwire serve --exchange` at the port, 0 for a free one, which is put into the child. False if it did not begin to listen. */
bool child_start(struct child *child, uint16_t port);

/* Sends a signal to the process. */
void child_signal(const struct child *child, int number);

/* Ends the process, whatever state it is in, and waits until it has gone. */
void child_kill(struct child *child);

#endif
