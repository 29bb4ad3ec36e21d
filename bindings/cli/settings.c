/* What the arguments of `heartwire connect` say: each option goes into the configuration as it is read, so that errors name it. */
#define _POSIX_C_SOURCE 200809L

#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "config.h"

enum { PRESET, RULES, SET, HEADER, SUBPROTOCOL, KEEP, WAIT, JSON, EVENTS, STATS };

const struct option connect_options[] = {
    {PRESET, "--preset", "NAME", "the heartbeats of a known service; 'heartwire presets' lists them"},
    {RULES, "--rules", "FILE", "heartbeat rules of your own, JSON; may be repeated"},
    {SET, "--set", "NAME=VALUE", "set a property; 'heartwire properties' lists them; may be repeated"},
    {HEADER, "--header", "\"NAME: VALUE\"", "add a field to the opening handshake; may be repeated"},
    {SUBPROTOCOL, "--subprotocol", "NAME", "offer a subprotocol; may be repeated, the preferred first"},
    {KEEP, "--keep", "TEXT", "send TEXT first on every new connection, such as a subscription; may be repeated"},
    {WAIT, "--wait", "TIME", "how long to wait for answers after the end of input: until nothing has come for TIME (500ms, 1s, 5m, 2h; "
                             "0: not at all; forever); 1s if not given"},
    {JSON, "--json", NULL, "print each message as a JSON object on a line"},
    {EVENTS, "--events", NULL, "print events too: as lines on standard error, with --json as objects among the messages"},
    {STATS, "--stats", NULL, "a line a second on standard error: state, messages, rates, round trip, beats"},
    {.name = NULL},
};

/* Messages are taken from an inbox here, and callbacks have nowhere to run. */
static const char *const own_properties[] = {"delivery", NULL};

static bool add_header(hw_config *config, const char *field)
{
    const char *value;
    char *name = split(field, ':', &value);
    if (name == NULL) {
        complain("--header: '%s' has no ':'; write --header \"NAME: VALUE\"", field);
        return false;
    }
    hw_error error = {.struct_size = sizeof error};
    hw_status status = hw_config_add_header(config, name, value + strspn(value, " \t"), &error);
    if (status != HW_OK)
        complain_of_error("--header", &error);
    free(name);
    return status == HW_OK;
}

/* Adds to those that were named before. */
static bool add_subprotocol(hw_config *config, const char *name)
{
    size_t before = 0;
    hw_config_get(config, "subprotocols", NULL, 0, &before);
    size_t capacity = before + strlen(name) + 3;
    char *list = malloc(capacity);
    if (list == NULL)
        return false;
    if (before == 0 || hw_config_get(config, "subprotocols", list, capacity, &before) != HW_OK)
        before = 0;
    snprintf(list + before, capacity - before, "%s%s", before > 0 ? ", " : "", name);
    bool done = config_set(config, "--subprotocol", "subprotocols", list);
    free(list);
    return done;
}

/* Reads a file whole, of no more bytes than the library takes as rules; NULL if that cannot be done. The caller frees it. */
static char *read_rules(const char *path, size_t *size)
{
    enum { BYTES_MAX = 256 * 1024 };
    FILE *file = fopen(path, "rb");
    char *text = file != NULL ? malloc(BYTES_MAX + 1) : NULL;
    if (text != NULL) {
        *size = fread(text, 1, BYTES_MAX + 1, file);
        if (!ferror(file)) {
            fclose(file);
            return text;
        }
    }
    complain("--rules: %s: %s", path, strerror(errno));
    free(text);
    if (file != NULL)
        fclose(file);
    return NULL;
}

static bool add_rules(hw_config *config, const char *path)
{
    size_t size;
    char *text = read_rules(path, &size);
    if (text == NULL)
        return false;
    hw_error error = {.struct_size = sizeof error};
    hw_status status = hw_config_add_rule(config, text, size, &error);
    if (status != HW_OK)
        complain("--rules: %s: %s", path, error.message);
    free(text);
    return status == HW_OK;
}

static bool read_wait(const char *text, uint64_t *wait_ms)
{
    enum { DAY_MS = 86400000 };
    if (strcmp(text, "forever") == 0) {
        *wait_ms = WAIT_FOREVER;
        return true;
    }
    if (read_duration_ms(text, wait_ms) && *wait_ms <= DAY_MS)
        return true;
    complain("--wait: '%s' is no time; write 500ms, 1s, 5m or 2h, at most 24h, or 0, or forever", text);
    return false;
}

static bool apply(struct settings *settings, int option, const char *value)
{
    hw_config *config = settings->config;
    switch (option) {
    case PRESET:
        return config_set(config, "--preset", "preset", value);
    case RULES:
        return add_rules(config, value);
    case SET:
        return config_assign(config, value, own_properties);
    case HEADER:
        return add_header(config, value);
    case SUBPROTOCOL:
        return add_subprotocol(config, value);
    case KEEP:
        settings->kept[settings->kept_count++] = value;
        return true;
    case WAIT:
        return read_wait(value, &settings->wait_ms);
    case JSON:
        settings->json = true;
        return true;
    case EVENTS:
        settings->events = true;
        return true;
    default:
        settings->stats = true;
        return true;
    }
}

/* One argument; false if it is wrong. */
static bool take(struct settings *settings, const struct arguments *arguments, int found)
{
    if (found == ARGUMENT_WRONG)
        return false;
    if (found != ARGUMENT_OPERAND)
        return apply(settings, found, arguments->value);
    if (settings->url != NULL) {
        complain("connect: one URL at a time; '%s' is too much", arguments->value);
        return false;
    }
    settings->url = arguments->value;
    return true;
}

bool settings_read(struct settings *settings, const struct command *command, int argc, char **argv, int *exit_status)
{
    *settings = (struct settings){.wait_ms = 1000, .kept = calloc((size_t)argc + 1, sizeof(char *))};
    *exit_status = STATUS_SYSTEM;
    if (settings->kept == NULL || hw_config_new(&settings->config) != HW_OK) {
        complain("connect: no memory");
        return false;
    }
    struct arguments arguments = {.command = command, .next = argv};
    for (int found; (found = argument_next(&arguments)) != ARGUMENT_END;) {
        if (found == ARGUMENT_HELP) {
            print_command_help(command);
            *exit_status = finish_output();
            return false;
        }
        if (!take(settings, &arguments, found)) {
            *exit_status = STATUS_USAGE;
            return false;
        }
    }
    if (settings->url == NULL) {
        complain("connect: the URL is missing; 'heartwire connect --help' says more");
        *exit_status = STATUS_USAGE;
        return false;
    }
    return true;
}

void settings_free(struct settings *settings)
{
    hw_config_free(settings->config);
    free(settings->kept);
}
