/* The program `heartwire`: finds the command and runs it. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "text.h"

static const struct command *const commands[] = {
    &connect_command,
    &serve_command,
    &demo_command,
    &presets_command,
    &properties_command,
    &version_command,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(void)
{
    puts("Usage: heartwire COMMAND [ARGUMENT]...\n\n"
         "WebSocket connections that stay alive by themselves.\n\n"
         "Commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n'heartwire COMMAND --help' explains a command. To begin with:\n\n"
         "  heartwire demo\n"
         "  heartwire connect wss://example.org/feed");
}

void print_command_help(const struct command *command)
{
    enum { INDENT = 24 };
    printf("Usage: heartwire %s%s%s\n\n%s\n", command->name, command->arguments[0] != '\0' ? " " : "", command->arguments, command->help);
    puts("Options:");
    for (const struct option *option = command->options; option->name != NULL; option++) {
        int column = printf("  %s %s", option->name, option->value != NULL ? option->value : "");
        if (column >= INDENT) {
            putchar('\n');
            column = 0;
        }
        printf("%*s", INDENT - column, "");
        print_wrapped(option->help, INDENT, INDENT);
    }
    printf("  %-*s%s\n", INDENT - 2, "-h, --help", "explain this command");
    if (command->notes != NULL)
        printf("\n%s", command->notes);
}

static int complain_of_command(const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    const char *nearest = nearest_name(name, names, COMMAND_COUNT);
    if (strncmp(name, "ws://", 5) == 0 || strncmp(name, "wss://", 6) == 0)
        complain("the URL follows a command: heartwire connect %s", name);
    else if (nearest != NULL)
        complain("unknown command '%s'; did you mean '%s'?", name, nearest);
    else
        complain("unknown command '%s'; 'heartwire --help' lists the commands", name);
    return STATUS_USAGE;
}

/* A descriptor that the caller closed would be given to a socket, and the program's output would go there. */
static void open_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY) == -1)
            _exit(STATUS_SYSTEM);
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        complain("a command is missing; 'heartwire --help' lists the commands");
        return STATUS_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help();
        return finish_output();
    }
    if (strcmp(name, "--version") == 0)
        name = version_command.name;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i]->run(commands[i], argc - 2, argv + 2);
    return complain_of_command(name);
}
