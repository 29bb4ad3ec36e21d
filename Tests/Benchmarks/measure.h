/* What the C benchmarks share: configuring and opening a connection, or ending the program with the reason. */
#ifndef MEASURE_H
#define MEASURE_H

#include "clock.h"
#include <heartwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void require(hw_status status, const hw_error *error)
{
    if (status == HW_OK)
        return;
    fprintf(stderr, "%s: %s\n", hw_status_name(status), error->message);
    exit(1);
}

static inline void set(hw_config *config, const char *name, const char *value)
{
    hw_error error = {.struct_size = sizeof error};
    require(hw_config_set(config, name, value, &error), &error);
}

/* ca_file may be NULL, for plain connections. */
static inline hw_config *make_config(const char *ca_file)
{
    hw_config *config = NULL;
    require(hw_config_new(&config), &(hw_error){0});
    if (ca_file != NULL)
        set(config, "tls.ca_file", ca_file);
    return config;
}

/* Sets properties from NAME=VALUE arguments, up to the NULL that ends them. */
static inline void set_all(hw_config *config, char **arguments)
{
    for (; *arguments != NULL; arguments++) {
        char *value = strchr(*arguments, '=');
        if (value == NULL)
            exit(2);
        *value = 0;
        set(config, *arguments, value + 1);
    }
}

static inline hw_connection *open_connection(const hw_config *config, const char *url)
{
    hw_error error = {.struct_size = sizeof error};
    hw_connection *connection = NULL;
    require(hw_connection_open(config, url, &connection, &error), &error);
    return connection;
}

static inline void wait_for(hw_connection *connection, hw_state state)
{
    hw_error error = {.struct_size = sizeof error};
    require(hw_connection_wait(connection, state, 20000, &error), &error);
}

static inline void close_connection(hw_connection *connection)
{
    hw_connection_close(connection, 1000, NULL);
    wait_for(connection, HW_STATE_DISCONNECTED);
    hw_connection_release(connection);
}

#endif
