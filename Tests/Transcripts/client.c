/*
 * The program that the transcripts are played to: many connections in one process, each kept alive by a preset and nothing else.
 *
 * Usage: client URL
 *
 * Reads commands, one a line, fields separated by tabs; N is the caller's number of a connection, payloads are in hexadecimal:
 *   open N PRESET PARAMETERS    connects to URL/N; PARAMETERS as for the property preset.parameters, may be empty
 *   send N text|binary PAYLOAD
 *   release N
 * Prints in the same form:
 *   error N TEXT                the connection could not be opened
 *   message N text|binary PAYLOAD
 *   event N NAME TIME_NS STATUS CLOSE_CODE TEXT
 */
#define _GNU_SOURCE
#include <heartwire.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 4096, FIELDS_MAX = 4 };

static const char *server_url;
static hw_connection *connections[CONNECTIONS_MAX];

/* Prints what could not be done and ends the program. */
_Noreturn static void fail(const char *doing, const char *why)
{
    fprintf(stderr, "%s: %s\n", doing, why);
    exit(1);
}

/* The words of the transcripts where they have one. */
static const char *event_name(hw_event_kind kind)
{
    switch (kind) {
    case HW_EVENT_OPENED: return "opened";
    case HW_EVENT_CLOSED: return "closed";
    case HW_EVENT_ATTEMPT_FAILED: return "attempt_failed";
    case HW_EVENT_RELEASED: return "released";
    case HW_EVENT_HEARTBEAT_RECEIVED: return "beat_seen";
    case HW_EVENT_HEARTBEAT_RESPONDED: return "answered";
    case HW_EVENT_HEARTBEAT_TIMEOUT: return "silence";
    case HW_EVENT_HEARTBEAT_FAILURE: return "failure";
    case HW_EVENT_BEAT_SENT: return "beat_sent";
    case HW_EVENT_BEAT_ACKED: return "ack";
    case HW_EVENT_BEAT_MISSED: return "ack_timeout";
    case HW_EVENT_RECONNECT_ADVISED: return "reconnect_advised";
    default: return "other";
    }
}

static void print_event(hw_connection *connection, const hw_event *event, void *number)
{
    (void)connection;
    printf("event\t%d\t%s\t%llu\t%s\t%d\t%.*s\n", (int)(intptr_t)number, event_name(event->kind), (unsigned long long)event->time_ns,
           hw_status_name(event->status), (int)event->close_code, (int)event->text_size, event->text);
}

static void print_messages(hw_connection *connection, const hw_message *messages, size_t count, void *number)
{
    (void)connection;
    for (size_t i = 0; i < count; i++) {
        flockfile(stdout);
        printf("message\t%d\t%s\t", (int)(intptr_t)number, messages[i].kind == HW_TEXT ? "text" : "binary");
        for (size_t at = 0; at < messages[i].size; at++) printf("%02x", messages[i].data[at]);
        putchar('\n');
        funlockfile(stdout);
    }
}

static void open_connection(int number, const char *preset, const char *parameters)
{
    char url[256];
    hw_config *config = NULL;
    hw_error error = {.struct_size = sizeof error};
    snprintf(url, sizeof url, "%s/%d", server_url, number);
    if (hw_config_new(&config) != HW_OK) fail("hw_config_new", "no configuration");
    hw_config_on_event(config, print_event, (void *)(intptr_t)number);
    hw_config_on_messages(config, print_messages, (void *)(intptr_t)number);
    if (hw_config_set(config, "preset", preset, &error) != HW_OK
        || (*parameters && hw_config_set(config, "preset.parameters", parameters, &error) != HW_OK)
        || hw_connection_open(config, url, &connections[number], &error) != HW_OK)
        printf("error\t%d\t%s\n", number, error.message);
    hw_config_free(config);
}

/* Turns the hexadecimal text into bytes in place; returns their number. */
static size_t decode_hex(char *text)
{
    size_t size = 0;
    for (unsigned byte; sscanf(text + 2 * size, "%2x", &byte) == 1; size++) text[size] = (char)byte;
    return size;
}

static void send_message(int number, const char *kind, char *payload)
{
    size_t size = decode_hex(payload);
    hw_status status = hw_connection_send(connections[number], strcmp(kind, "text") ? HW_BINARY : HW_TEXT, payload, size, NULL, NULL);
    if (status != HW_OK) printf("error\t%d\thw_connection_send: %s\n", number, hw_status_name(status));
}

/* Splits a command at its tabs; fields that it does not have are empty. */
static void split(char *line, char *fields[FIELDS_MAX])
{
    line[strcspn(line, "\n")] = 0;
    for (int i = 0; i < FIELDS_MAX; i++) {
        size_t size = strcspn(line, "\t");
        fields[i] = line;
        line += size;
        if (*line) *line++ = 0;
    }
}

int main(int argc, char **argv)
{
    char *line = NULL, *fields[FIELDS_MAX];
    size_t capacity = 0;
    if (argc != 2) fail(argv[0], "expects the server's URL");
    server_url = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (getline(&line, &capacity, stdin) > 0) {
        split(line, fields);
        int number = atoi(fields[1]);
        if (number < 0 || number >= CONNECTIONS_MAX) fail(fields[1], "no number of a connection");
        if (strcmp(fields[0], "open") == 0) open_connection(number, fields[2], fields[3]);
        else if (strcmp(fields[0], "send") == 0) send_message(number, fields[2], fields[3]);
        else if (strcmp(fields[0], "release") == 0) hw_connection_release(connections[number]);
        else fail(fields[0], "no such command");
    }
    free(line);
    return 0;
}
