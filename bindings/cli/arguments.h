/* Reads the arguments of a command by its table of options. */
#ifndef HEARTWIRE_ARGUMENTS_H
#define HEARTWIRE_ARGUMENTS_H

#include <stdbool.h>

#include "program.h"

/* What argument_next found, if it is no option of the command. */
enum { ARGUMENT_END = -1, ARGUMENT_OPERAND = -2, ARGUMENT_WRONG = -3, ARGUMENT_HELP = -4 };

/* Where reading is. Begin with the first argument after the command's name. */
struct arguments {
    const struct command *command;
    char **next;       /* ends with a NULL */
    bool only_operands; /* after "--" */
    const char *value; /* of the option, or the operand itself */
};

/*
 * Reads the next argument: the id of an option, whose value, if it takes one, was given as "--name value" or "--name=value", or one of the
 * above. What is wrong was complained of already.
 */
int argument_next(struct arguments *arguments);

/* For commands whose arguments are at most one operand: answers true and puts it, or NULL, into operand, or else the exit status. */
bool read_operand(const struct command *command, char **argv, const char **operand, int *exit_status);

#endif
