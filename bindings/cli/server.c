/*
 * One run of `heartwire serve`: a single thread that waits with poll(2) for what the clients' connections deliver, for lines of input and
 * for Ctrl-C. It alone prints; whatever it does, the library keeps the connections alive.
 */
#define _POSIX_C_SOURCE 200809L

#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "deliveries.h"
#include "input.h"
#include "interrupts.h"
#include "printer.h"
#include "program.h"
#include "record.h"
#include "stats.h"

struct run {
    struct server server;
    hw_inbox *inbox;
    int deliveries, interrupts; /* descriptors that become readable */
    struct input input;
    struct printer printer;
    struct stats stats;
    uint64_t work_due_ms;
    bool taking_input;
    bool reader_gone; /* of standard output */
    bool ending;
    int exit_status;
};

static void fail(struct run *run, const char *what, int error)
{
    complain("%s: %s", what, strerror(error));
    run->exit_status = STATUS_SYSTEM;
    run->ending = true;
}

/* A reader that wanted no more than the first lines leaves the server running. */
static void finish_lines(struct run *run)
{
    if (run->reader_gone || flush_output(&run->exit_status))
        return;
    run->reader_gone = true;
    run->ending = run->ending || run->exit_status != STATUS_OK;
}

/* ---- What the listener's connections deliver */

static void let_in(struct run *run, hw_connection *connection, const hw_event *due)
{
    if (clients_add(&run->server.clients, connection, due->text, due->text_size) != NULL)
        hw_connection_accept(connection, due->attempt_id, 0, NULL);
    else
        hw_connection_accept(connection, due->attempt_id, 503, "The server has no memory left.");
}

static void client_opened(struct run *run, struct client *client)
{
    client->open = true;
    if (!run->server.settings->events)
        complain("client %" PRIu64 " connected: %s", client->number, client->resource);
    if (run->server.settings->service->opened != NULL)
        run->server.settings->service->opened(&run->server, client);
}

static void client_closed(struct run *run, struct client *client, const hw_event *event)
{
    client->open = false;
    if (!run->server.settings->events)
        complain("client %" PRIu64 " gone: code %d%s%.*s", client->number, event->close_code, event->text_size > 0 ? ", " : "",
                 (int)event->text_size, event->text);
}

static void handle_event(struct run *run, hw_connection *connection, const hw_event *event)
{
    const struct service *service = run->server.settings->service;
    if (event->kind == HW_EVENT_ACCEPT_DUE)
        let_in(run, connection, event);
    struct client *client = clients_find(&run->server.clients, connection);
    if (client == NULL)
        return;
    if (run->server.settings->events && !run->reader_gone)
        print_event(&run->printer, client->number, event);
    if (event->kind == HW_EVENT_OPENED)
        client_opened(run, client);
    run->server.totals.beats += event->kind == HW_EVENT_BEAT_SENT;
    run->server.totals.missed += event->kind == HW_EVENT_BEAT_MISSED;
    if (service->event != NULL)
        service->event(&run->server, client, event);
    if (event->kind == HW_EVENT_CLOSED)
        client_closed(run, client, event);
    if (event->kind == HW_EVENT_RELEASED)
        clients_remove(&run->server.clients, connection);
}

static void handle_message(struct run *run, hw_connection *connection, const hw_message *message)
{
    const struct service *service = run->server.settings->service;
    struct client *client = clients_find(&run->server.clients, connection);
    if (client == NULL)
        return;
    run->server.totals.received++;
    if (service->prints_messages && !run->reader_gone)
        print_message(&run->printer, client->number, message);
    if (service->message != NULL)
        service->message(&run->server, client, message);
}

/* Handles a batch of what waits. Answers whether there was anything. */
static bool handle_deliveries(struct run *run)
{
    const hw_delivery *deliveries;
    size_t count = take_deliveries(run->inbox, &deliveries);
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].event != NULL)
            handle_event(run, deliveries[i].connection, deliveries[i].event);
        else
            handle_message(run, deliveries[i].connection, &deliveries[i].message);
    }
    finish_lines(run);
    return count > 0;
}

/* ---- Input */

static void take_lines(struct run *run)
{
    const char *line;
    size_t size;
    if (!input_read(&run->input, STDIN_FILENO)) {
        fail(run, "standard input", ENOMEM);
        return;
    }
    for (enum input_result found; (found = input_next(&run->input, &line, &size)) != INPUT_MORE;) {
        hw_status status = HW_E_TOO_LARGE;
        if (found == INPUT_LINE) {
            status = run->server.settings->service->line(&run->server, line, size);
            input_take(&run->input);
        }
        if (status != HW_OK)
            input_complain(&run->input, status);
    }
    run->taking_input = !run->input.ended;
}

/* ---- The loop */

static void print_stats(struct run *run)
{
    struct totals *totals = &run->server.totals;
    totals->clients = totals->waiting = 0;
    size_t at = 0;
    for (struct client *client; (client = clients_next(&run->server.clients, &at)) != NULL;) {
        hw_metrics metrics = {.struct_size = sizeof metrics};
        if (!client->open || hw_connection_metrics(client->connection, &metrics) != HW_OK)
            continue;
        totals->clients++;
        totals->waiting += metrics.queue_messages;
    }
    stats_print_totals(&run->stats, totals);
}

static void turn(struct run *run)
{
    int timeout = run->work_due_ms == UINT64_MAX ? -1 : milliseconds_until(run->work_due_ms, -1);
    if (run->server.settings->stats)
        timeout = milliseconds_until(run->stats.due_ms, timeout);
    struct pollfd descriptors[] = {
        {.fd = run->taking_input ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = run->deliveries, .events = POLLIN},
        {.fd = run->interrupts, .events = POLLIN},
    };
    if (poll(descriptors, sizeof descriptors / sizeof *descriptors, timeout) < 0 && errno != EINTR) {
        fail(run, "poll", errno);
        return;
    }
    run->ending = run->ending || descriptors[2].revents != 0;
    if (descriptors[1].revents != 0)
        handle_deliveries(run);
    if (descriptors[0].revents != 0)
        take_lines(run);
    if (run->server.settings->service->work != NULL && clock_ms() >= run->work_due_ms)
        run->work_due_ms = run->server.settings->service->work(&run->server);
    if (run->server.settings->stats && clock_ms() >= run->stats.due_ms)
        print_stats(run);
}

/* ---- Beginning and end */

/* The URL that was asked for, up to its host, with the port that is listened at. */
static void write_address(char *text, size_t capacity, const char *url, uint16_t port)
{
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    size_t size = strcspn(host, "/?#");
    size_t name = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    snprintf(text, capacity, "%.*s:%u", (int)(host - url) + (int)(name < size ? name : size), url, port);
}

/*
 * A page that a listener has beside its clients' connections, as a browser finds it: http instead of ws, https instead of wss. token: what
 * the page has to be asked with, or empty.
 */
static void announce_page(const struct server_settings *settings, const char *name, const char *address, const char *token)
{
    char property[32];
    snprintf(property, sizeof property, "listener.%s", name);
    if (!settings->json && config_is_true(settings->config, property))
        printf("%s at http%s/%s%s%s\n", name, address + strlen("ws"), name, *token != '\0' ? "?token=" : "", token);
}

/* A token can only have come with the arguments, so that who reads the output may know it; nothing in it needs escaping in a query. */
static void announce_pages(const struct server_settings *settings, const char *address)
{
    char token[257] = "";
    hw_config_get(settings->config, "listener.monitor_token", token, sizeof token, NULL);
    announce_page(settings, "metrics", address, "");
    announce_page(settings, "monitor", address, token);
}

static void announce(struct run *run)
{
    const struct server_settings *settings = run->server.settings;
    uint16_t port = 0;
    hw_listener_port(run->server.listener, &port);
    char address[512];
    write_address(address, sizeof address, settings->url, port);
    if (settings->json) {
        struct record record = record_begin(stdout, true, "listening", NULL, NULL);
        record_text(&record, "url", address, strlen(address));
        record_number(&record, "port", port);
        record_end(&record);
    } else {
        printf("listening at %s\n", address);
    }
    announce_pages(settings, address);
    finish_lines(run);
}

static bool open_server(struct run *run)
{
    hw_error error = {.struct_size = sizeof error};
    const struct server_settings *settings = run->server.settings;
    run->interrupts = watch_interrupts();
    hw_inbox_new(settings->config, &run->inbox);
    run->deliveries = hw_inbox_fd(run->inbox);
    if (run->interrupts < 0 || run->deliveries < 0) {
        fail(run, "serve: no descriptor", errno);
        return false;
    }
    hw_config_set_inbox(settings->config, run->inbox, NULL);
    hw_config_before_accept(settings->config, NULL, NULL);
    if (settings->service->prepare != NULL && !settings->service->prepare(&run->server)) {
        run->exit_status = STATUS_SYSTEM;
        return false;
    }
    if (hw_listener_open(settings->config, settings->url, &run->server.listener, &error) == HW_OK) {
        announce(run);
        return true;
    }
    run->exit_status = complain_of_error("serve", &error);
    return false;
}

static void report(struct run *run, const hw_shutdown_report *report)
{
    if (run->server.settings->json) {
        struct record record = record_begin(stdout, true, "ended", NULL, NULL);
        record_number(&record, "connections", report->connections);
        record_number(&record, "connections_cut", report->connections_cut);
        record_number(&record, "messages_unsent", report->messages_unsent);
        record_end(&record);
    } else {
        complain("ended: %" PRIu32 " connections closed, %" PRIu32 " of them cut off, %" PRIu64 " messages not sent", report->connections,
                 report->connections_cut, report->messages_unsent);
    }
}

/* Says goodbye to all clients, and tells how that went. */
static void shut_down(struct run *run)
{
    uint64_t timeout = config_ms(run->server.settings->config, "close.timeout");
    hw_shutdown_report done = {.struct_size = sizeof done};
    hw_shutdown(timeout < UINT32_MAX ? (uint32_t)timeout : UINT32_MAX, &done);
    hw_listener_close(run->server.listener);
    while (handle_deliveries(run)) {
    }
    if (done.messages_unsent > 0 && run->exit_status == STATUS_OK)
        run->exit_status = STATUS_UNSENT;
    if (run->server.settings->stats)
        print_stats(run);
    if (run->server.settings->service->report != NULL)
        run->server.settings->service->report(&run->server);
    report(run, &done);
    finish_lines(run);
}

int server_run(const struct server_settings *settings)
{
    struct run run = {
        .server = {.settings = settings},
        .input = {.line_bytes_max = (size_t)config_bytes(settings->config, "queue.bytes_max")},
        .printer = {.json = settings->json, .terminal = isatty(STDOUT_FILENO)},
        .stats = stats_begin(),
        .taking_input = settings->service->line != NULL,
        .work_due_ms = settings->service->work != NULL ? 0 : UINT64_MAX,
    };
    /* Lines leave together when nothing more waits, whether a person or a program reads them. */
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (open_server(&run)) {
        while (!run.ending)
            turn(&run);
        shut_down(&run);
    }
    hw_inbox_release(run.inbox);
    input_free(&run.input);
    clients_free(&run.server.clients);
    return run.exit_status;
}
