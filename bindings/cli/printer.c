/* What is printed of messages and events. */
#define _POSIX_C_SOURCE 200809L

#include "printer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "program.h"
#include "record.h"
#include "text.h"

static void print_record(uint64_t client, const hw_message *message)
{
    struct record record = record_begin(stdout, true, "message", "kind", message->kind == HW_TEXT ? "text" : "binary");
    if (client > 0)
        record_number(&record, "client", client);
    record_time(&record, "time", message->received_ns);
    record_number(&record, "epoch", message->epoch);
    if (message->flags & HW_MESSAGE_CONTINUED)
        record_boolean(&record, "continued", true);
    if (message->flags & HW_MESSAGE_MORE)
        record_boolean(&record, "more", true);
    if (message->kind == HW_TEXT)
        record_text(&record, "data", message->data, message->size);
    else
        record_binary(&record, "data", message->data, message->size);
    record_end(&record);
}

static void print_plain(struct printer *printer, uint64_t client, const hw_message *message)
{
    /* The connection may have ended inside a message. */
    if (printer->line_open && !(message->flags & HW_MESSAGE_CONTINUED))
        putchar('\n');
    printer->line_open = false;
    if (client > 0)
        printf("%" PRIu64 ": ", client);
    if (message->kind == HW_BINARY) {
        printf("binary, %zu bytes: ", message->size);
        write_base64(stdout, message->data, message->size);
    } else if (printer->terminal) {
        write_visible(stdout, message->data, message->size);
    } else {
        fwrite(message->data, 1, message->size, stdout);
    }
    if (message->kind == HW_TEXT && message->flags & HW_MESSAGE_MORE)
        printer->line_open = true;
    else
        putchar('\n');
}

void print_message(struct printer *printer, uint64_t client, const hw_message *message)
{
    if (printer->json)
        print_record(client, message);
    else
        print_plain(printer, client, message);
}

void print_event(const struct printer *printer, uint64_t client, const hw_event *event)
{
    /* Standard error is not buffered; what was printed before stays before. */
    if (!printer->json)
        fflush(stdout);
    write_event(printer->json ? stdout : stderr, printer->json, client, event);
}

void print_answer(const hw_event *event)
{
    enum { BYTES_MAX = 1024, LINES_MAX = 3 };
    char text[BYTES_MAX + 1] = "";
    for (size_t i = 0; i < event->body_size && i < BYTES_MAX; i++)
        text[i] = event->body[i] != '\0' ? (char)event->body[i] : '\n';
    char *rest, *line = strtok_r(text, "\r\n", &rest);
    for (int lines = 0; line != NULL && lines < LINES_MAX; line = strtok_r(NULL, "\r\n", &rest)) {
        line += strspn(line, " \t");
        if (*line == '\0')
            continue;
        complain("the answer says: %s", line);
        lines++;
    }
}

void print_notice(const struct printer *printer, const hw_event *event)
{
    int text_size = (int)event->text_size;
    switch (event->kind) {
    case HW_EVENT_ATTEMPT_FAILED:
        /* The last one is told when the program ends. */
        if (event->delay_ms == 0)
            break;
        complain("attempt %u failed: %.*s; the next follows in %" PRIu64 " ms", event->attempt, text_size, event->text, event->delay_ms);
        print_answer(event);
        break;
    case HW_EVENT_CLOSED:
        if (event->state != HW_STATE_CLOSING && event->state != HW_STATE_DISCONNECTED)
            complain("connection ended: code %d%s%.*s", event->close_code, text_size > 0 ? ", " : "", text_size, event->text);
        break;
    case HW_EVENT_STATE:
        if (event->state == HW_STATE_CONNECTED && printer->connected)
            complain("connected again");
        break;
    case HW_EVENT_WARNING:
        complain("warning: %.*s", text_size, event->text);
        break;
    default:
        break;
    }
}
