/* The simple services of `heartwire serve`: echo and broadcast. */
#include <inttypes.h>

#include "program.h"
#include "server.h"

/* ---- Echo: each message back to whom it came from */

/* What cannot be sent back is not left out: the client is told by the close code, after all that was sent back before. */
static void echo(struct server *server, struct client *client, const hw_message *message)
{
    switch (hw_connection_send(client->connection, message->kind, message->data, message->size, NULL, NULL)) {
    case HW_OK:
        server->totals.sent++;
        break;
    case HW_E_FULL:
        complain("client %" PRIu64 " takes its echoes too slowly; --set queue.messages_max=N or queue.bytes_max=SIZE allows more",
                 client->number);
        hw_connection_close(client->connection, 1013, "echoes are taken too slowly");
        break;
    case HW_E_TOO_LARGE:
        complain("client %" PRIu64 " has sent a message larger than queue.bytes_max; --set queue.bytes_max=SIZE allows more",
                 client->number);
        hw_connection_close(client->connection, 1009, "too large to be sent back");
        break;
    default:
        break;
    }
}

const struct service echo_service = {.message = echo};

/* ---- Broadcast: each line of the input to all, and what they send to the output */

static hw_status broadcast(struct server *server, const char *line, size_t size)
{
    uint64_t reached = 0;
    hw_status status = hw_listener_broadcast(server->listener, NULL, HW_TEXT, line, size, &reached);
    server->totals.sent += reached;
    return status;
}

const struct service broadcast_service = {.prints_messages = true, .line = broadcast};
