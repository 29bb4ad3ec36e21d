/* `heartwire presets`: the heartbeats of known services. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "text.h"

static void print_list(void)
{
    enum { INDENT = 22 };
    hw_preset preset = {.struct_size = sizeof preset};
    for (size_t i = 0; hw_preset_describe(i, &preset) == HW_OK; i++) {
        printf("%-*s", INDENT, preset.name);
        print_wrapped(preset.services, INDENT, INDENT);
    }
}

static void print_member(const char *name, const char *text)
{
    enum { INDENT = 12 };
    printf("%-*s", INDENT, name);
    print_wrapped(text, INDENT, INDENT);
}

static void print_whole(const hw_preset *preset)
{
    print_member("name", preset->name);
    print_member("services", preset->services);
    print_member("source", preset->source);
    if (preset->parameters[0] != '\0')
        print_member("parameters", preset->parameters);
    /* JSON stays as it is, to be copied. */
    printf("rule\n%s\n", preset->rule);
}

static int print_named(const char *name)
{
    hw_preset preset = {.struct_size = sizeof preset};
    for (size_t i = 0; hw_preset_describe(i, &preset) == HW_OK; i++)
        if (strcmp(preset.name, name) == 0) {
            print_whole(&preset);
            return finish_output();
        }
    /* The library knows which name comes nearest. */
    hw_error error = {.struct_size = sizeof error};
    hw_config *config = NULL;
    error.status = hw_config_new(&config);
    hw_config_set(config, "preset", name, &error);
    hw_config_free(config);
    return complain_of_error("presets", &error);
}

static int run(const struct command *command, int argc, char **argv)
{
    (void)argc;
    const char *name;
    int exit_status;
    if (!read_operand(command, argv, &name, &exit_status))
        return exit_status;
    if (name != NULL)
        return print_named(name);
    print_list();
    return finish_output();
}

static const struct option options[] = {{.name = NULL}};

const struct command presets_command = {
    .name = "presets",
    .arguments = "[NAME]",
    .summary = "list the services whose heartbeats are known, or show one",
    .help = "Lists the services and protocols whose heartbeats are known. With NAME it shows\n"
            "one of them whole: what it is for, where that was read, the parameters that it\n"
            "takes, and its rule.\n",
    .options = options,
    .notes = "A preset is used with 'heartwire connect --preset NAME', its parameters are set\n"
             "with '--set preset.parameters=NAME=VALUE,NAME=VALUE'.\n",
    .run = run,
};
