/* Errors and exit statuses, the same for all commands. */
#define _POSIX_C_SOURCE 200809L

#include "program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

void complain(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    size_t length = (size_t)size < sizeof line ? (size_t)size : sizeof line - 1;
    /* What was printed before stays before. */
    fflush(stdout);
    flockfile(stderr);
    fputs("heartwire: ", stderr);
    write_visible(stderr, line, length);
    fputc('\n', stderr);
    funlockfile(stderr);
}

int exit_status_of(hw_status status)
{
    /* The statuses come in bands of twenty. */
    static const struct {
        hw_status lowest;
        int exit_status;
    } bands[] = {
        {HW_OK, STATUS_OK},          {-19, STATUS_USAGE},  {-39, STATUS_SYSTEM},     {-59, STATUS_SYSTEM}, {-79, STATUS_USAGE},
        {-99, STATUS_UNREACHABLE},   {-119, STATUS_TLS},   {-139, STATUS_HANDSHAKE}, {-159, STATUS_CLOSED}, {-169, STATUS_HEARTBEAT},
    };
    for (size_t i = 0; i < sizeof bands / sizeof *bands; i++)
        if (status >= bands[i].lowest)
            return bands[i].exit_status;
    return STATUS_SYSTEM;
}

int complain_of_error(const char *what, const hw_error *error)
{
    /* Where the library names the function that lists the names, a person is told the command. */
    const char *function = strstr(error->message, "; hw_");
    if (function != NULL && (error->status == HW_E_PROPERTY || error->status == HW_E_PRESET))
        complain("%s: %.*s; 'heartwire %s' lists them", what, (int)(function - error->message), error->message,
                 error->status == HW_E_PROPERTY ? "properties" : "presets");
    else
        complain("%s: %s", what, error->message);
    return exit_status_of(error->status);
}

bool flush_output(int *exit_status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (errno != EPIPE) {
        complain("standard output: %s", strerror(errno));
        *exit_status = STATUS_SYSTEM;
    }
    return false;
}

int finish_output(void)
{
    int exit_status = STATUS_OK;
    flush_output(&exit_status);
    return exit_status;
}
