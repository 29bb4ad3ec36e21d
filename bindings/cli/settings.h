/* What the arguments of `heartwire connect` say. */
#ifndef HEARTWIRE_SETTINGS_H
#define HEARTWIRE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

/* For wait_ms: whatever comes, the end of the input is not the end. */
#define WAIT_FOREVER UINT64_MAX

struct settings {
    hw_config *config;
    const char *url;
    uint64_t wait_ms;
    bool json, events, stats;
    const char **kept; /* kept_count messages */
    uint32_t kept_count;
};

extern const struct option connect_options[];

/* Reads the arguments. False: the program ends with exit_status; what is wrong was complained of. Either way settings_free is due. */
bool settings_read(struct settings *settings, const struct command *command, int argc, char **argv, int *exit_status);

void settings_free(struct settings *settings);

#endif
