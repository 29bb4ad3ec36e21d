/*
 * An echo server for the Autobahn cases: prints its port, then sends every message back as it came, until standard input ends.
 */
#include <heartwire.h>
#include <stdio.h>
#include <stdlib.h>

static void check(hw_status status, const char *what)
{
    if (status == HW_OK) return;
    fprintf(stderr, "%s: %s\n", what, hw_status_name(status));
    exit(1);
}

static void echo(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        hw_status status = hw_connection_send(connection, messages[i].kind, messages[i].data, messages[i].size, NULL, NULL);
        /* A client that has gone, or is going, wants no echo. */
        if (status != HW_OK && status != HW_E_HANDLE && status != HW_E_STATE) check(status, "hw_connection_send");
    }
}

int main(void)
{
    hw_config *config;
    hw_listener *listener;
    uint16_t port;
    check(hw_config_new(&config), "hw_config_new");
    /* Whoever gets a message sends it back before the next frame is looked at. */
    check(hw_config_set(config, "delivery", "inline", NULL), "delivery");
    /* The cases expect no ping. */
    check(hw_config_set(config, "ping.interval", "0", NULL), "ping.interval");
    check(hw_config_set(config, "compression", "on", NULL), "compression");
    check(hw_config_set(config, "compression.threshold_bytes", "0", NULL), "compression.threshold_bytes");
    check(hw_config_set(config, "message.bytes_max", "64MiB", NULL), "message.bytes_max");
    check(hw_config_set(config, "queue.bytes_max", "256MiB", NULL), "queue.bytes_max");
    check(hw_config_on_messages(config, echo, NULL), "hw_config_on_messages");
    check(hw_listener_open(config, "ws://127.0.0.1:0", &listener, NULL), "hw_listener_open");
    check(hw_listener_port(listener, &port), "hw_listener_port");
    printf("%u\n", port);
    fflush(stdout);
    while (getchar() != EOF) continue;
    hw_listener_close(listener);
    check(hw_shutdown(5000, NULL), "hw_shutdown");
    hw_config_free(config);
    return 0;
}
