/*
 * The client that the fuzzing server examines: it echoes every message, in one connection a case, WORKERS cases at a time.
 *
 * Usage: client URL AGENT WORKERS
 *
 * The server says under /getCaseCount how many cases there are, runs one under /runCase, and ends under /updateReports. What it thinks
 * of a case is in its reports; this program prints how many it ran, and fails only if one did not come to its end.
 */
#include <heartwire.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer than any case takes; the server itself gives up much earlier. */
enum { CASE_TIMEOUT_MS = 120000 };

enum { WORKERS_MAX = 64 };

static const char *server_url, *agent;
static int case_count;
static atomic_int last_case_taken;

/* Prints what could not be done and ends the program. */
_Noreturn static void fail(const char *doing, const char *why)
{
    fprintf(stderr, "%s: %s\n", doing, why);
    exit(1);
}

static void set(hw_config *config, const char *name, const char *value)
{
    hw_error error = {.struct_size = sizeof error};
    if (hw_config_set(config, name, value, &error) != HW_OK) fail(name, error.message);
}

static void echo(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        hw_status status = hw_connection_send(connection, messages[i].kind, messages[i].data, messages[i].size, NULL, NULL);
        /* The server may have closed while it still had messages on their way to us. */
        if (status != HW_OK && status != HW_E_STATE) fail("echo", hw_status_name(status));
    }
}

static void read_case_count(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    char text[16];
    (void)connection, (void)count, (void)context;
    snprintf(text, sizeof text, "%.*s", (int)messages[0].size, (const char *)messages[0].data);
    case_count = atoi(text);
}

/* Offers `permessage-deflate; client_no_context_takeover; client_max_window_bits`, which the server's compression cases build on. */
static void offer_compression(hw_config *config)
{
    set(config, "compression", "on");
    set(config, "compression.client_context_takeover", "false");
    set(config, "compression.threshold_bytes", "0");
}

/* A configuration with this callback. An echo that is to come before the close of a broken connection must be sent inline. */
static hw_config *configure(hw_messages_callback callback)
{
    hw_config *config = NULL;
    if (hw_config_new(&config) != HW_OK) fail("hw_config_new", "no configuration");
    set(config, "delivery", "inline");
    set(config, "reconnect.enabled", "false");
    /* The echo of one large message may still wait when the next arrives. */
    set(config, "queue.bytes_max", "64MiB");
    offer_compression(config);
    hw_config_on_messages(config, callback, NULL);
    return config;
}

/* Opens the URL and waits until the connection has ended, by the rules or not. */
__attribute__((format(printf, 2, 3))) static void run(const hw_config *config, const char *path_format, ...)
{
    char url[256];
    hw_connection *connection = NULL;
    hw_error error = {.struct_size = sizeof error};
    va_list arguments;
    va_start(arguments, path_format);
    size_t size = (size_t)snprintf(url, sizeof url, "%s", server_url);
    if (size < sizeof url) vsnprintf(url + size, sizeof url - size, path_format, arguments);
    va_end(arguments);

    if (hw_connection_open(config, url, &connection, &error) != HW_OK) fail(url, error.message);
    if (hw_connection_wait(connection, HW_STATE_DISCONNECTED, CASE_TIMEOUT_MS, &error) == HW_E_TIMEOUT) fail(url, "did not end");
    hw_connection_release(connection);
}

static void *run_cases(void *config)
{
    for (int number; (number = ++last_case_taken) <= case_count;) run(config, "/runCase?case=%d&agent=%s", number, agent);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t workers[WORKERS_MAX];
    int worker_count = argc == 4 ? atoi(argv[3]) : 0;
    if (worker_count < 1 || worker_count > WORKERS_MAX) fail(argv[0], "expects the server's URL, the agent's name and a number of workers");
    server_url = argv[1], agent = argv[2];

    hw_config *counting = configure(read_case_count), *echoing = configure(echo);
    run(counting, "/getCaseCount");
    if (case_count <= 0) fail("/getCaseCount", "no cases");
    for (int i = 0; i < worker_count; i++)
        if (pthread_create(&workers[i], NULL, run_cases, echoing)) fail("pthread_create", "no thread");
    for (int i = 0; i < worker_count; i++) pthread_join(workers[i], NULL);
    run(echoing, "/updateReports?agent=%s", agent);
    hw_config_free(counting);
    hw_config_free(echoing);
    printf("%d\n", case_count);
    return 0;
}
