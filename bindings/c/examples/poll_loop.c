/*
 * A chat in the terminal with a loop of its own: poll(2) waits for lines typed and for what the connection delivers.
 *
 * No callback runs here. The connection fills an inbox, whose descriptor becomes readable when something waits in it.
 * End the input (Control-D) to close the connection.
 */
#include <errno.h>
#include <heartwire.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What arrives in one read from standard input is cut into lines; a line longer than this is sent in pieces. */
typedef struct {
    char bytes[4096];
    size_t size;
} line_buffer;

static void send_line(hw_connection *connection, const char *line, size_t size)
{
    hw_status status = hw_connection_send(connection, HW_TEXT, line, size, NULL, NULL);
    if (status != HW_OK) fprintf(stderr, "not sent: %s\n", hw_status_name(status));
}

/* Reads what was typed and sends each whole line. Answers 0 at the end of the input. */
static int send_typed_lines(hw_connection *connection, line_buffer *buffer)
{
    ssize_t received = read(STDIN_FILENO, buffer->bytes + buffer->size, sizeof buffer->bytes - buffer->size);
    if (received <= 0) {
        if (buffer->size > 0) send_line(connection, buffer->bytes, buffer->size);
        return 0;
    }
    buffer->size += (size_t)received;

    char *end;
    while ((end = memchr(buffer->bytes, '\n', buffer->size)) != NULL) {
        size_t line = (size_t)(end - buffer->bytes);
        send_line(connection, buffer->bytes, line);
        buffer->size -= line + 1;
        memmove(buffer->bytes, end + 1, buffer->size);
    }
    if (buffer->size == sizeof buffer->bytes) {
        send_line(connection, buffer->bytes, buffer->size);
        buffer->size = 0;
    }
    return 1;
}

/* Prints one delivery. Answers 0 when the connection has reached a final state. */
static int print_delivery(const hw_delivery *delivery)
{
    const hw_event *event = delivery->event;
    if (event == NULL) {
        printf("< %.*s\n", (int)delivery->message.size, (const char *)delivery->message.data);
        return 1;
    }
    if (event->text_size > 0) fprintf(stderr, "* %.*s\n", (int)event->text_size, event->text);
    return event->kind != HW_EVENT_STATE
        || (event->state != HW_STATE_DISCONNECTED && event->state != HW_STATE_FAILED);
}

/* Takes all that waits in the inbox. Answers 0 when the connection has reached a final state. */
static int print_deliveries(hw_inbox *inbox)
{
    hw_delivery deliveries[64];
    size_t count = 0;
    int going_on = 1;
    while (hw_inbox_take(inbox, deliveries, 64, &count, 0) == HW_OK)
        for (size_t i = 0; i < count; i++)
            going_on = print_delivery(&deliveries[i]) && going_on;
    fflush(stdout);
    return going_on;
}

static void run(hw_connection *connection, hw_inbox *inbox)
{
    line_buffer typed = {.size = 0};
    struct pollfd waiting[] = {
        {.fd = hw_inbox_fd(inbox), .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    for (;;) {
        if (poll(waiting, 2, -1) < 0) {
            if (errno == EINTR) continue;
            return;
        }
        if (waiting[0].revents != 0 && !print_deliveries(inbox)) return;
        if (waiting[1].revents != 0 && !send_typed_lines(connection, &typed)) {
            waiting[1].fd = -1; /* poll ignores it from now on; the loop ends with the connection */
            hw_connection_close(connection, 1000, NULL);
        }
    }
}

int main(int argc, char **argv)
{
    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    hw_error error = {.struct_size = sizeof error};

    if (argc != 2) {
        fprintf(stderr, "usage: %s ws://host/path\n", argv[0]);
        return EXIT_FAILURE;
    }
    hw_status status = hw_config_new(&config);
    if (status == HW_OK) status = hw_inbox_new(config, &inbox);
    if (status == HW_OK) status = hw_config_set_inbox(config, inbox, NULL);
    if (status == HW_OK) status = hw_connection_open(config, argv[1], &connection, &error);
    if (status == HW_OK)
        run(connection, inbox);
    else
        fprintf(stderr, "%s: %s\n", hw_status_name(status), error.message);

    hw_connection_release(connection);
    hw_inbox_release(inbox);
    hw_config_free(config);
    return status == HW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
