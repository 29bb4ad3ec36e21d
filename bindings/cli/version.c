/* `heartwire version`. */
#include <stdio.h>

#include "arguments.h"

static int run(const struct command *command, int argc, char **argv)
{
    (void)argc;
    const char *operand;
    int exit_status;
    if (!read_operand(command, argv, &operand, &exit_status))
        return exit_status;
    uint32_t version = hw_version();
    printf("heartwire %u.%u.%u\n", version >> 24, version >> 16 & 255, version >> 8 & 255);
    return finish_output();
}

static const struct option options[] = {{.name = NULL}};

const struct command version_command = {
    .name = "version",
    .arguments = "",
    .summary = "tell the version of the library in use",
    .help = "Tells the version of the library in use.\n",
    .options = options,
    .run = run,
};
