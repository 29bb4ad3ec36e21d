/* Reads the arguments of a command by its table of options. */
#include "arguments.h"

#include <stddef.h>
#include <string.h>

#include "text.h"

static void complain_of_unknown(const struct command *command, const char *name)
{
    const char *names[32];
    size_t count = 0;
    for (const struct option *option = command->options; option->name != NULL && count < 32; option++)
        names[count++] = option->name;
    const char *nearest = nearest_name(name, names, count);
    if (nearest != NULL)
        complain("%s: unknown option %s; did you mean %s?", command->name, name, nearest);
    else
        complain("%s: unknown option %s; 'heartwire %s --help' lists the options", command->name, name, command->name);
}

/* Reads an option's value, from behind its "=" or from the next argument. */
static int take_value(struct arguments *arguments, const struct option *option, const char *attached)
{
    if (option->value == NULL && attached != NULL) {
        complain("%s: %s takes no value; leave out '=%s'", arguments->command->name, option->name, attached);
        return ARGUMENT_WRONG;
    }
    if (option->value != NULL && attached == NULL && *arguments->next == NULL) {
        complain("%s: %s needs a value: %s %s", arguments->command->name, option->name, option->name, option->value);
        return ARGUMENT_WRONG;
    }
    if (option->value != NULL)
        arguments->value = attached != NULL ? attached : *arguments->next++;
    return option->id;
}

int argument_next(struct arguments *arguments)
{
    const char *argument = *arguments->next;
    if (argument == NULL)
        return ARGUMENT_END;
    arguments->next++;
    if (!arguments->only_operands && strcmp(argument, "--") == 0) {
        arguments->only_operands = true;
        return argument_next(arguments);
    }
    if (arguments->only_operands || argument[0] != '-') {
        arguments->value = argument;
        return ARGUMENT_OPERAND;
    }
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return ARGUMENT_HELP;

    size_t size = strcspn(argument, "=");
    for (const struct option *option = arguments->command->options; option->name != NULL; option++)
        if (strlen(option->name) == size && memcmp(option->name, argument, size) == 0)
            return take_value(arguments, option, argument[size] == '=' ? argument + size + 1 : NULL);
    complain_of_unknown(arguments->command, argument);
    return ARGUMENT_WRONG;
}

bool read_operand(const struct command *command, char **argv, const char **operand, int *exit_status)
{
    struct arguments arguments = {.command = command, .next = argv};
    *operand = NULL;
    for (int found; (found = argument_next(&arguments)) != ARGUMENT_END;) {
        if (found == ARGUMENT_HELP) {
            print_command_help(command);
            *exit_status = finish_output();
            return false;
        }
        if (found == ARGUMENT_OPERAND && *operand == NULL && command->arguments[0] != '\0') {
            *operand = arguments.value;
            continue;
        }
        if (found == ARGUMENT_OPERAND)
            complain("%s: unexpected argument '%s'; usage: heartwire %s %s", command->name, arguments.value, command->name,
                     command->arguments);
        *exit_status = STATUS_USAGE;
        return false;
    }
    return true;
}
