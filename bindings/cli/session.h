/* One run of `heartwire connect`. */
#ifndef HEARTWIRE_SESSION_H
#define HEARTWIRE_SESSION_H

#include "settings.h"

/* Opens the connection and keeps it until it is closed; the exit status. */
int session_run(const struct settings *settings);

#endif
