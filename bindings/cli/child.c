/* The exchange that `heartwire demo` talks to. */
#define _GNU_SOURCE

#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Becomes the exchange; its output goes to the pipe. Between fork and exec only what is safe in a signal handler may be called. */
static void become_exchange(int output, pid_t parent, char *port)
{
    /* Whatever ends the parent ends the exchange too, even while it is frozen. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nowhere = open("/dev/null", O_RDWR);
    if (getppid() == parent && nowhere >= 0 && dup2(nowhere, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(nowhere, STDERR_FILENO) >= 0)
        execl("/proc/self/exe", "heartwire", "serve", "--exchange", "--port", port, (char *)NULL);
    _exit(127);
}

/* Reads the first line, which names the port; 0 if there is none. */
static uint16_t read_port(int output)
{
    char line[256];
    size_t size = 0;
    while (size < sizeof line - 1 && read(output, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    unsigned port = 0;
    return sscanf(line, "listening at ws://127.0.0.1:%u", &port) == 1 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

bool child_start(struct child *child, uint16_t port)
{
    int ends[2];
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)port);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t parent = getpid();
    child->process = fork();
    if (child->process == 0)
        become_exchange(ends[1], parent, text);
    close(ends[1]);
    child->port = child->process > 0 ? read_port(ends[0]) : 0;
    close(ends[0]);
    if (child->port == 0)
        child_kill(child);
    return child->port != 0;
}

void child_signal(const struct child *child, int number)
{
    if (child->process > 0)
        kill(child->process, number);
}

void child_kill(struct child *child)
{
    child_signal(child, SIGKILL);
    if (child->process > 0)
        waitpid(child->process, NULL, 0);
    child->process = 0;
}
