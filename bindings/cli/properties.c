/* `heartwire properties`: what --set can set. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "text.h"

/* Whether the property is name itself, or one of the group: "tls.verify" of "tls". */
static bool is_named(const hw_property *property, const char *name)
{
    size_t size = strlen(name);
    return strncmp(property->name, name, size) == 0 && (property->name[size] == '\0' || property->name[size] == '.');
}

static void print_list(void)
{
    enum { NAME_COLUMNS = 36, DEFAULT_COLUMNS = 10, INDENT = NAME_COLUMNS + DEFAULT_COLUMNS };
    printf("%-*s%-*s%s\n", NAME_COLUMNS, "PROPERTY", DEFAULT_COLUMNS, "DEFAULT", "RANGE");
    hw_property property = {.struct_size = sizeof property};
    for (size_t i = 0; hw_config_describe(i, &property) == HW_OK; i++) {
        const char *value = property.default_value[0] != '\0' ? property.default_value : "-";
        printf("%-*s%-*s", NAME_COLUMNS, property.name, DEFAULT_COLUMNS, value);
        /* The few long ones have the range below them. */
        if (strlen(value) >= DEFAULT_COLUMNS)
            printf("\n%*s", INDENT, "");
        print_wrapped(property.range, INDENT, INDENT);
    }
}

static void print_member(const char *name, const char *text)
{
    enum { INDENT = 12 };
    if (text[0] == '\0')
        return;
    printf("  %-*s", INDENT - 2, name);
    print_wrapped(text, INDENT, INDENT);
}

static void print_whole(const hw_property *property)
{
    puts(property->name);
    print_member("what", property->doc);
    print_member("default", property->default_value);
    print_member("range", property->range);
    print_member("unit", property->unit);
    print_member("since", property->since);
}

static int print_named(const char *name)
{
    bool found = false;
    hw_property property = {.struct_size = sizeof property};
    for (size_t i = 0; hw_config_describe(i, &property) == HW_OK; i++) {
        if (!is_named(&property, name))
            continue;
        if (found)
            putchar('\n');
        print_whole(&property);
        found = true;
    }
    if (found)
        return finish_output();
    /* The library knows which name comes nearest. */
    hw_error error = {.struct_size = sizeof error};
    hw_config *config = NULL;
    error.status = hw_config_new(&config);
    hw_config_set(config, name, "", &error);
    hw_config_free(config);
    return complain_of_error("properties", &error);
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

const struct command properties_command = {
    .name = "properties",
    .arguments = "[NAME]",
    .summary = "list the properties of a connection, or explain some",
    .help = "Lists the properties of a connection with their defaults and ranges. With NAME,\n"
            "which is a property or the first part of its name, such as ping or tls, it\n"
            "explains each.\n",
    .options = options,
    .notes = "A property is set with --set NAME=VALUE, of 'heartwire connect' or 'serve'.\n",
    .run = run,
};
