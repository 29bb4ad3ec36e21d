/*
 * A client of a small exchange: counts messages, answers the exchange's heartbeat requests and shows what the connection does.
 *
 * Usage: exchange URL [--ca FILE] [--seconds N]
 *
 * Everything here happens in two callbacks. Pings, reconnection and the queue are the library's work and need no code.
 */
#define _POSIX_C_SOURCE 200809L

#include <heartwire.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the callbacks count. They run on a thread of the library while main prints, so the counters are atomic. */
struct counters {
    atomic_uint_fast64_t messages;
    atomic_uint_fast64_t answers;
};

struct options {
    const char *url;
    const char *ca_file; /* NULL: the system's trust store */
    long seconds;
};

static const char *state_name(hw_state state)
{
    static const char *const names[] = {"disconnected", "connecting", "connected", "reconnecting", "closing", "failed"};
    return state >= 0 && (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

/* Received data is not NUL-terminated, so strstr would read past its end. */
static int contains(const hw_message *message, const char *needle)
{
    size_t size = strlen(needle);
    for (size_t i = 0; i + size <= message->size; i++)
        if (memcmp(message->data + i, needle, size) == 0)
            return 1;
    return 0;
}

/* The exchange cancels all orders of a client that leaves this request unanswered, so the answer is sent from the callback. */
static void answer_test_request(hw_connection *connection, struct counters *counters)
{
    char answer[96];
    int size = snprintf(answer, sizeof answer, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIuFAST64 ",\"method\":\"public/test\",\"params\":{}}",
                        atomic_load(&counters->answers) + 1);
    hw_status status = hw_connection_send(connection, HW_TEXT, answer, (size_t)size, NULL, NULL);
    if (status == HW_OK)
        atomic_fetch_add(&counters->answers, 1);
    else
        printf("c       | answer not sent: %s\n", hw_status_name(status));
}

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    struct counters *counters = context;
    atomic_fetch_add(&counters->messages, count);
    for (size_t i = 0; i < count; i++)
        if (contains(&messages[i], "\"test_request\""))
            answer_test_request(connection, counters);
}

static void on_event(hw_connection *connection, const hw_event *event, void *context)
{
    (void)connection;
    (void)context;
    int text_size = (int)event->text_size;
    switch (event->kind) {
    case HW_EVENT_STATE:
        printf("c       | state -> %s\n", state_name(event->state));
        break;
    case HW_EVENT_CLOSED:
        printf("c       | connection %" PRIu64 " ended: code %d, %.*s\n", event->epoch, event->close_code, text_size, event->text);
        break;
    case HW_EVENT_ATTEMPT_FAILED:
        printf("c       | attempt %u failed: %s, %.*s\n", event->attempt, hw_status_name(event->status), text_size, event->text);
        break;
    case HW_EVENT_BEAT_MISSED:
        printf("c       | ping unanswered, %" PRIu64 " in a row\n", event->count);
        break;
    default:
        break;
    }
}

static struct options parse_options(int argc, char **argv)
{
    struct options options = {.seconds = 15};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc)
            options.ca_file = argv[++i];
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            options.seconds = strtol(argv[++i], NULL, 10);
        else if (argv[i][0] != '-' && options.url == NULL)
            options.url = argv[i];
        else
            options.seconds = 0;
    }
    if (options.url == NULL || options.seconds <= 0) {
        fprintf(stderr, "usage: exchange URL [--ca FILE] [--seconds N]\n");
        exit(2);
    }
    return options;
}

/* Ends the program with the library's own explanation, which says what to do. */
static void check(hw_status status, const hw_error *error)
{
    if (status == HW_OK)
        return;
    fprintf(stderr, "exchange: %s: %s\n", hw_status_name(status), error->message);
    exit(1);
}

static hw_connection *open_connection(const struct options *options, struct counters *counters)
{
    hw_error error = {.struct_size = sizeof error};
    hw_config *config = NULL;
    check(hw_config_new(&config), &error);
    check(hw_config_set(config, "ping.interval", "1s", &error), &error);
    if (options->ca_file != NULL)
        check(hw_config_set(config, "tls.ca_file", options->ca_file, &error), &error);
    hw_config_on_messages(config, on_messages, counters);
    hw_config_on_event(config, on_event, NULL);

    hw_connection *connection = NULL;
    check(hw_connection_open(config, options->url, &connection, &error), &error);
    hw_config_free(config);
    return connection;
}

static void print_progress(hw_connection *connection, struct counters *counters)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    if (hw_connection_metrics(connection, &metrics) != HW_OK)
        return;
    printf("c       | messages %5" PRIuFAST64 "  answered %3" PRIuFAST64 "  pings %3" PRIu64 "  rtt %6.2f ms\n",
           atomic_load(&counters->messages), atomic_load(&counters->answers), metrics.beats_sent, (double)metrics.rtt_last_ns / 1e6);
}

/*
 * Ends the connection and prints the result; true if there ever was one. The metrics are read before the release, the counters after it,
 * when no callback can run any more.
 */
static int finish(hw_connection *connection, struct counters *counters)
{
    hw_error error = {.struct_size = sizeof error};
    hw_metrics metrics = {.struct_size = sizeof metrics};
    hw_connection_close(connection, 1000, "done");
    hw_connection_wait(connection, HW_STATE_DISCONNECTED, 5000, &error);
    hw_connection_metrics(connection, &metrics);
    hw_connection_release(connection);
    printf("RESULT {\"program\": \"c\", \"messages\": %" PRIuFAST64 ", \"answers\": %" PRIuFAST64 ", \"pings\": %" PRIu64
           ", \"reconnections\": %" PRIu64 ", \"rtt_last_us\": %" PRIu64 ", \"rtt_mean_us\": %" PRIu64 "}\n",
           atomic_load(&counters->messages), atomic_load(&counters->answers), metrics.beats_sent, metrics.reconnections,
           metrics.rtt_last_ns / 1000, metrics.rtt_mean_ns / 1000);
    return metrics.epoch > 0;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct counters counters = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Blocked and waited for with a timeout, Ctrl-C and the clock of one second are the same wait. */
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    sigprocmask(SIG_BLOCK, &interrupts, NULL);

    hw_connection *connection = open_connection(&options, &counters);
    const struct timespec second = {.tv_sec = 1};
    for (long elapsed = 0; elapsed < options.seconds; elapsed++) {
        int interrupted = sigtimedwait(&interrupts, NULL, &second) > 0;
        if (interrupted || hw_connection_state(connection) == HW_STATE_FAILED)
            break;
        print_progress(connection, &counters);
    }
    int failed = hw_connection_state(connection) == HW_STATE_FAILED;
    int was_connected = finish(connection, &counters);
    return failed || !was_connected ? 1 : 0;
}
