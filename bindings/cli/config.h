/* Properties as arguments give them, and values read back from a configuration. */
#ifndef HEARTWIRE_CONFIG_H
#define HEARTWIRE_CONFIG_H

#include <heartwire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sets a property; false if the library refuses it, which was complained of under the option's name. */
bool config_set(hw_config *config, const char *option, const char *name, const char *value);

/* Sets what "--set NAME=VALUE" says. own lists the properties, NULL at its end, that the command decides about itself. */
bool config_assign(hw_config *config, const char *assignment, const char *const *own);

/* Splits at the first separator; NULL if there is no memory, or no separator. The caller frees it. */
char *split(const char *text, char separator, const char **rest);

/* Reads a duration such as 500ms, 5m or 0; false if it is something else, or too long to be told in milliseconds. */
bool read_duration_ms(const char *text, uint64_t *value);

/* The value of a property that is a size, in bytes, or a duration. */
uint64_t config_bytes(const hw_config *config, const char *name);
uint64_t config_ms(const hw_config *config, const char *name);

/* Whether a property that the library may not know is there and true. */
bool config_is_true(const hw_config *config, const char *name);

#endif
