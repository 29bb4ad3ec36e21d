/*
 * The listener that crowds connect to. Binary messages go back to who sent them, text messages to all clients.
 *
 * Usage: crowd_server [PROPERTY=VALUE ...]   prints its port when ready, and ends with its standard input.
 */
#define _POSIX_C_SOURCE 200809L

#include "descriptors.h"
#include "measure.h"

static hw_listener *listener;

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].kind == HW_TEXT)
            hw_listener_broadcast(listener, NULL, HW_TEXT, messages[i].data, messages[i].size, NULL);
        else
            hw_connection_send(connection, HW_BINARY, messages[i].data, messages[i].size, NULL, NULL);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    hw_error error = {.struct_size = sizeof error};
    uint16_t port = 0;
    raise_descriptor_limit();
    hw_config *config = make_config(NULL);
    set_all(config, argv + 1);
    hw_config_on_messages(config, on_messages, NULL);
    require(hw_listener_open(config, "ws://127.0.0.1:0/", &listener, &error), &error);
    require(hw_listener_port(listener, &port), &error);
    printf("%u\n", port);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}
