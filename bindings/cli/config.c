/* Properties as arguments give them, and values read back from a configuration. */
#define _POSIX_C_SOURCE 200809L

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum { UNIT_COUNT = 4 };

bool config_set(hw_config *config, const char *option, const char *name, const char *value)
{
    hw_error error = {.struct_size = sizeof error};
    if (hw_config_set(config, name, value, &error) == HW_OK)
        return true;
    complain_of_error(option, &error);
    return false;
}

char *split(const char *text, char separator, const char **rest)
{
    const char *at = strchr(text, separator);
    if (at == NULL)
        return NULL;
    *rest = at + 1;
    return strndup(text, (size_t)(at - text));
}

bool config_assign(hw_config *config, const char *assignment, const char *const *own)
{
    const char *value;
    char *name = split(assignment, '=', &value);
    if (name == NULL) {
        complain("--set: '%s' has no '='; write --set NAME=VALUE", assignment);
        return false;
    }
    while (*own != NULL && strcmp(*own, name) != 0)
        own++;
    bool done = false;
    if (*own != NULL)
        complain("--set: %s is for programs of your own; leave it out", name);
    else
        done = config_set(config, "--set", name, value);
    free(name);
    return done;
}

/* Reads digits and the name of a unit, one of those in names; false if it is something else. */
static bool read_quantity(const char *text, const char *const *names, const uint64_t *units, uint64_t *value)
{
    char *unit;
    errno = 0;
    unsigned long long number = strtoull(text, &unit, 10);
    if (text[0] < '0' || text[0] > '9' || errno != 0)
        return false;
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (strcmp(unit, names[i]) == 0 && number <= (UINT64_MAX - 1) / units[i]) {
            *value = number * units[i];
            return true;
        }
    *value = 0;
    return number == 0 && *unit == '\0';
}

bool read_duration_ms(const char *text, uint64_t *value)
{
    static const char *const names[UNIT_COUNT] = {"ms", "s", "m", "h"};
    static const uint64_t units_ms[UNIT_COUNT] = {1, 1000, 60000, 3600000};
    return read_quantity(text, names, units_ms, value);
}

uint64_t config_bytes(const hw_config *config, const char *name)
{
    static const char *const names[UNIT_COUNT] = {"", "KiB", "MiB", "GiB"};
    static const uint64_t units[UNIT_COUNT] = {1, 1024, 1024 * 1024, 1024 * 1024 * 1024};
    char text[32] = "";
    uint64_t bytes = 0;
    hw_config_get(config, name, text, sizeof text, NULL);
    read_quantity(text, names, units, &bytes);
    return bytes;
}

uint64_t config_ms(const hw_config *config, const char *name)
{
    char text[32] = "";
    uint64_t duration = 0;
    hw_config_get(config, name, text, sizeof text, NULL);
    read_duration_ms(text, &duration);
    return duration;
}

bool config_is_true(const hw_config *config, const char *name)
{
    char text[8] = "";
    return hw_config_get(config, name, text, sizeof text, NULL) == HW_OK && strcmp(text, "true") == 0;
}
