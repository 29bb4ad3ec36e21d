/*
 * A client that sends numbered messages and tells what happens to its connection.
 *
 * Usage: client URL [PROPERTY=VALUE ...]; "rule" adds a heartbeat rule, "step" a step of the opening script.
 *
 * Reads commands, one a line:
 *   start INTERVAL_US BYTES queue|now
 *                              from here on sends the next number each INTERVAL_US, in a text message of BYTES of this delivery class; a
 *                              number that is refused is tried again. The numbers are the messages' ids
 *   keep KEY TEXT              keeps a text message
 *   rotate                     makes a new connection before it breaks the old one
 *   stop                       sends no more; prints "stopped LAST", the last number that was accepted
 *   release                    releases the connection
 * Prints fields separated by tabs; ACCEPTED is the last number that was accepted until then:
 *   event ACCEPTED KIND TIME_NS EPOCH STATE STATUS LEVEL COUNT MESSAGE_ID BEGAN_NS LATENCY_NS LAST_MESSAGE_NS TEXT
 *   message EPOCH TEXT
 */
#define _GNU_SOURCE
#include <heartwire.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGE_BYTES_MAX = 1 << 20 };

static struct {
    hw_connection *connection;
    atomic_ullong accepted;
    atomic_bool is_sending;
    long interval_us;
    size_t bytes;
    uint32_t flags;
    pthread_t thread;
} sender;

/* Prints what could not be done and ends the program. */
_Noreturn static void fail(const char *doing, const char *why)
{
    fprintf(stderr, "%s: %s\n", doing, why);
    exit(1);
}

static void print_event(hw_connection *connection, const hw_event *event, void *context)
{
    (void)connection, (void)context;
    unsigned long long numbers[] = {event->count, event->message_id, event->began_ns, event->latency_ns, event->last_message_ns};
    flockfile(stdout);
    printf("event\t%llu\t%d\t%llu\t%llu\t%d\t%d\t%d", atomic_load(&sender.accepted), (int)event->kind,
           (unsigned long long)event->time_ns, (unsigned long long)event->epoch, (int)event->state, (int)event->status, (int)event->level);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) printf("\t%llu", numbers[i]);
    printf("\t%.*s\n", (int)event->text_size, event->text);
    funlockfile(stdout);
}

static void print_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)connection, (void)context;
    for (size_t i = 0; i < count; i++)
        printf("message\t%llu\t%.*s\n", (unsigned long long)messages[i].epoch, (int)messages[i].size, (const char *)messages[i].data);
}

static void *send_numbers(void *context)
{
    (void)context;
    struct timespec pause = {sender.interval_us / 1000000, sender.interval_us % 1000000 * 1000};
    hw_send_options options = {.struct_size = sizeof options, .flags = sender.flags | HW_SEND_REPORT};
    char *text = malloc(MESSAGE_BYTES_MAX);
    while (atomic_load(&sender.is_sending)) {
        memset(text, 'x', sender.bytes);
        int digits = sprintf(text, "%llu", atomic_load(&sender.accepted) + 1);
        text[digits] = ' ';
        hw_status status = hw_connection_send(sender.connection, HW_TEXT, text, sender.bytes, &options, NULL);
        if (status == HW_OK) atomic_fetch_add(&sender.accepted, 1);
        else if (status != HW_E_FULL && status != HW_E_NOT_CONNECTED) fail("hw_connection_send", hw_status_name(status));
        nanosleep(&pause, NULL);
    }
    free(text);
    return NULL;
}

static void start(const char *command)
{
    char class[8];
    if (sscanf(command, "start %ld %zu %7s", &sender.interval_us, &sender.bytes, class) != 3 || sender.bytes > MESSAGE_BYTES_MAX
        || sender.bytes < 24)
        fail(command, "not understood");
    sender.flags = strcmp(class, "now") == 0 ? HW_SEND_NOW : 0;
    atomic_store(&sender.is_sending, true);
    pthread_create(&sender.thread, NULL, send_numbers, NULL);
}

static void stop(void)
{
    if (atomic_exchange(&sender.is_sending, false)) pthread_join(sender.thread, NULL);
    printf("stopped\t%llu\n", atomic_load(&sender.accepted));
}

static void keep(char *arguments)
{
    char *text = strchr(arguments, ' ');
    if (text == NULL) fail(arguments, "no text");
    *text++ = 0;
    hw_status status = hw_connection_keep(sender.connection, arguments, HW_TEXT, text, strlen(text));
    if (status != HW_OK) fail("hw_connection_keep", hw_status_name(status));
}

static void rotate(void)
{
    hw_status status = hw_connection_rotate(sender.connection);
    if (status != HW_OK) fail("hw_connection_rotate", hw_status_name(status));
}

static hw_status set(hw_config *config, const char *name, const char *value, hw_error *error)
{
    if (strcmp(name, "rule") == 0) return hw_config_add_rule(config, value, strlen(value), error);
    if (strcmp(name, "step") == 0) return hw_config_add_step(config, value, strlen(value), error);
    return hw_config_set(config, name, value, error);
}

static void open_connection(const char *url, char **properties)
{
    hw_config *config = NULL;
    hw_error error = {.struct_size = sizeof error};
    if (hw_config_new(&config) != HW_OK) fail("hw_config_new", "no configuration");
    hw_config_on_event(config, print_event, NULL);
    hw_config_on_messages(config, print_messages, NULL);
    for (; *properties != NULL; properties++) {
        char *value = strchr(*properties, '=');
        if (value == NULL) fail(*properties, "has no value");
        *value++ = 0;
        if (set(config, *properties, value, &error) != HW_OK) fail(*properties, error.message);
    }
    if (hw_connection_open(config, url, &sender.connection, &error) != HW_OK) fail(url, error.message);
    hw_config_free(config);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t capacity = 0;
    if (argc < 2) fail(argv[0], "expects the server's URL");
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_connection(argv[1], argv + 2);
    while (getline(&line, &capacity, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "start ", 6) == 0) start(line);
        else if (strncmp(line, "keep ", 5) == 0) keep(line + 5);
        else if (strcmp(line, "rotate") == 0) rotate();
        else if (strcmp(line, "stop") == 0) stop();
        else if (strcmp(line, "release") == 0) break;
        else fail(line, "no such command");
    }
    stop();
    hw_connection_release(sender.connection);
    free(line);
    return 0;
}
