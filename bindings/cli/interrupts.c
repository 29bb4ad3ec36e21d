/* Ctrl-C and its like. */
#define _POSIX_C_SOURCE 200809L

#include "interrupts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static int wake_pipe[2];

static void interrupt(int number)
{
    int saved = errno;
    if (interrupted)
        _exit(128 + number);
    interrupted = 1;
    /* The pipe is empty, so there is room. */
    if (write(wake_pipe[1], "", 1) != 1)
        _exit(128 + number);
    errno = saved;
}

int watch_interrupts(void)
{
    if (pipe(wake_pipe) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        fcntl(wake_pipe[i], F_SETFD, FD_CLOEXEC);
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
        struct sigaction before;
        /* Whoever started the program in the background, or with nohup, has these ignored. */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    return wake_pipe[0];
}
