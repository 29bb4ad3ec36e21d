/* A minimal client: opens the URL given, prints messages and events, says hello and closes when the answer is there. */
#include <heartwire.h>
#include <stdio.h>

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)context;
    for (size_t i = 0; i < count; i++)
        printf("message: %.*s\n", (int)messages[i].size, (const char *)messages[i].data);
    hw_connection_close(connection, 1000, "done");
}

static void on_event(hw_connection *connection, const hw_event *event, void *context)
{
    (void)connection, (void)context;
    printf("event %d, state %d: %.*s\n", (int)event->kind, (int)event->state, (int)event->text_size, event->text);
}

int main(int argc, char **argv)
{
    hw_config *config = NULL;
    hw_connection *connection = NULL;
    hw_error error = {.struct_size = sizeof error};

    if (argc != 2 || hw_config_new(&config) != HW_OK) return 2;
    hw_config_on_messages(config, on_messages, NULL);
    hw_config_on_event(config, on_event, NULL);
    hw_status status = hw_connection_open(config, argv[1], &connection, &error);
    hw_config_free(config); /* the connection has its own copy */

    /* What is sent before the connection is open waits in its queue. */
    if (status == HW_OK) status = hw_connection_send(connection, HW_TEXT, "hello", 5, NULL, NULL);
    if (status == HW_OK) status = hw_connection_wait(connection, HW_STATE_DISCONNECTED, 10000, &error);
    if (status != HW_OK) fprintf(stderr, "%s: %s\n", hw_status_name(status), error.message);
    hw_connection_release(connection); /* the last callback has run when this returns */
    return status == HW_OK ? 0 : 1;
}
