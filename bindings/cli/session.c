/*
 * One run of `heartwire connect`: a single thread that waits with poll(2) for input, for what the connection delivers, and for Ctrl-C. It
 * alone prints, so no two lines mix; while it waits for a slow reader of its output, the library keeps the connection alive.
 */
#define _POSIX_C_SOURCE 200809L

#include "session.h"

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
#include "stats.h"

struct session {
    const struct settings *settings;
    hw_inbox *inbox;
    hw_connection *connection;
    int deliveries, interrupts; /* descriptors that become readable */
    struct input input;
    struct printer printer;
    struct stats stats;
    bool taking_input;
    bool queue_full;    /* until HW_EVENT_WRITABLE */
    bool closing;
    bool reader_gone;   /* of standard output */
    bool ended;         /* the connection's state is final */
    bool lines_refused;
    bool waiting;       /* for answers, since everything was sent */
    uint64_t quiet_since_ms;
    int exit_status;
};

static void close_connection(struct session *session)
{
    session->taking_input = false;
    if (session->closing)
        return;
    session->closing = true;
    hw_connection_close(session->connection, 1000, NULL);
}

/* ---- Output */

/* What is written to a pipe that nobody reads is lost, and so is what would follow. */
static void reader_left(struct session *session)
{
    session->reader_gone = true;
    close_connection(session);
}

/* ---- Deliveries */

static void end(struct session *session, const hw_event *event)
{
    session->ended = true;
    if (event->state != HW_STATE_FAILED)
        return;
    session->exit_status = exit_status_of(event->status);
    complain("%.*s (%s)", (int)event->text_size, event->text, hw_status_name(event->status));
    /* The event that was printed has it too. */
    if (!session->settings->events)
        print_answer(event);
}

static void handle_event(struct session *session, const hw_event *event)
{
    bool first = event->kind == HW_EVENT_STATE && event->state == HW_STATE_CONNECTED && !session->printer.connected;
    if (!session->reader_gone && session->settings->events)
        print_event(&session->printer, 0, event);
    else if (!session->reader_gone)
        print_notice(&session->printer, event);
    if (event->kind == HW_EVENT_STATE && event->state == HW_STATE_CONNECTED)
        session->printer.connected = true;
    if (first && isatty(STDIN_FILENO) && session->taking_input)
        complain("connected; each line is sent as a message, Ctrl-D ends the input, Ctrl-C closes");
    if (event->kind == HW_EVENT_WRITABLE)
        session->queue_full = false;
    if (event->kind == HW_EVENT_STATE && (event->state == HW_STATE_DISCONNECTED || event->state == HW_STATE_FAILED))
        end(session, event);
}

/* Handles a batch of what waits. Answers whether there was anything. */
static bool handle_deliveries(struct session *session)
{
    const hw_delivery *deliveries;
    size_t count = take_deliveries(session->inbox, &deliveries);
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].event != NULL)
            handle_event(session, deliveries[i].event);
        else if (!session->reader_gone)
            print_message(&session->printer, 0, &deliveries[i].message);
        if (deliveries[i].event == NULL)
            session->quiet_since_ms = clock_ms();
    }
    if (count > 0 && !session->reader_gone && !flush_output(&session->exit_status))
        reader_left(session);
    return count > 0;
}

/* ---- Input */

static void refuse_line(struct session *session, hw_status status)
{
    session->lines_refused = true;
    input_complain(&session->input, status);
}

/* Sends one line. False: it stays, and nothing more can be sent for now. */
static bool send_line(struct session *session, const char *line, size_t size)
{
    /* The report is what wakes the program when the last line has been sent. */
    hw_send_options options = {.struct_size = sizeof options, .flags = HW_SEND_REPORT};
    hw_status status = hw_connection_send(session->connection, HW_TEXT, line, size, &options, NULL);
    if (status == HW_E_FULL || status == HW_E_STATE) {
        session->queue_full = status == HW_E_FULL;
        session->taking_input = status == HW_E_FULL;
        return false;
    }
    input_take(&session->input);
    if (status != HW_OK)
        refuse_line(session, status);
    return true;
}

static void send_lines(struct session *session)
{
    const char *line;
    size_t size;
    for (;;) {
        switch (input_next(&session->input, &line, &size)) {
        case INPUT_LINE:
            if (!send_line(session, line, size))
                return;
            break;
        case INPUT_TOO_LONG:
            refuse_line(session, HW_E_TOO_LARGE);
            break;
        case INPUT_MORE:
            session->taking_input = session->taking_input && !session->input.ended;
            return;
        }
    }
}

static void read_input(struct session *session)
{
    if (input_read(&session->input, STDIN_FILENO))
        return;
    complain("standard input: no memory");
    session->exit_status = STATUS_SYSTEM;
    close_connection(session);
}

/* ---- The end of the input */

/* Begins to wait for answers once the input has ended and everything is sent, and closes when nothing has come for long enough. */
static void end_after_input(struct session *session)
{
    if (session->taking_input || session->closing || !session->printer.connected || session->settings->wait_ms == WAIT_FOREVER)
        return;
    if (!session->waiting) {
        hw_metrics metrics = {.struct_size = sizeof metrics};
        if (hw_connection_metrics(session->connection, &metrics) != HW_OK || metrics.queue_messages > 0)
            return;
        session->waiting = true;
        session->quiet_since_ms = clock_ms();
    }
    if (clock_ms() - session->quiet_since_ms >= session->settings->wait_ms)
        close_connection(session);
}

/* ---- The loop */

/* How long nothing will be due; -1: without limit. */
static int poll_timeout(const struct session *session)
{
    int timeout = -1;
    if (session->settings->stats)
        timeout = milliseconds_until(session->stats.due_ms, timeout);
    if (session->waiting && !session->closing)
        timeout = milliseconds_until(session->quiet_since_ms + session->settings->wait_ms, timeout);
    return timeout;
}

static void turn(struct session *session)
{
    bool reads = session->taking_input && !session->queue_full;
    struct pollfd descriptors[] = {
        {.fd = reads ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = session->deliveries, .events = POLLIN},
        {.fd = session->closing ? -1 : session->interrupts, .events = POLLIN},
        /* Nothing is asked of standard output, but poll tells when its reader has gone. */
        {.fd = session->reader_gone ? -1 : STDOUT_FILENO},
    };
    if (poll(descriptors, sizeof descriptors / sizeof *descriptors, poll_timeout(session)) < 0 && errno != EINTR) {
        complain("poll: %s", strerror(errno));
        session->exit_status = STATUS_SYSTEM;
        session->ended = true;
        return;
    }
    if (descriptors[2].revents != 0)
        close_connection(session);
    if (descriptors[3].revents & (POLLERR | POLLHUP | POLLNVAL))
        reader_left(session);
    if (descriptors[1].revents != 0)
        handle_deliveries(session);
    if (reads && descriptors[0].revents != 0)
        read_input(session);
    if (session->taking_input && !session->queue_full)
        send_lines(session);
    end_after_input(session);
    if (session->settings->stats && clock_ms() >= session->stats.due_ms)
        stats_print(&session->stats, session->connection);
}

/* ---- Beginning and end */

static bool keep_messages(struct session *session)
{
    for (uint32_t i = 0; i < session->settings->kept_count; i++) {
        char key[16];
        snprintf(key, sizeof key, "%" PRIu32, i + 1);
        const char *text = session->settings->kept[i];
        hw_status status = hw_connection_keep(session->connection, key, HW_TEXT, text, strlen(text));
        if (status != HW_OK) {
            complain("--keep: message %s cannot be kept: %s", key, hw_status_name(status));
            session->exit_status = STATUS_USAGE;
            return false;
        }
    }
    return true;
}

static bool open_session(struct session *session)
{
    hw_error error = {.struct_size = sizeof error};
    const struct settings *settings = session->settings;
    session->interrupts = watch_interrupts();
    hw_inbox_new(settings->config, &session->inbox);
    session->deliveries = hw_inbox_fd(session->inbox);
    if (session->interrupts < 0 || session->deliveries < 0) {
        complain("connect: no descriptor: %s", strerror(errno));
        session->exit_status = STATUS_SYSTEM;
        return false;
    }
    hw_config_set_inbox(settings->config, session->inbox, NULL);
    if (hw_connection_open(settings->config, settings->url, &session->connection, &error) == HW_OK)
        return keep_messages(session);
    session->exit_status = complain_of_error("connect", &error);
    return false;
}

/* Whether lines that were read were not sent. */
static bool has_unsent(struct session *session)
{
    const char *line;
    size_t size;
    bool left = input_next(&session->input, &line, &size) != INPUT_MORE;
    hw_metrics metrics = {.struct_size = sizeof metrics};
    hw_connection_metrics(session->connection, &metrics);
    uint64_t lost = metrics.queue_expired + metrics.queue_dropped + metrics.queue_cancelled;
    if (lost > 0)
        complain("%" PRIu64 " messages were not sent", lost);
    return lost > 0 || left || session->lines_refused;
}

static void run_to_end(struct session *session)
{
    while (!session->ended)
        turn(session);
    while (handle_deliveries(session)) {
    }
    if (session->settings->stats)
        stats_print(&session->stats, session->connection);
    if (!session->reader_gone && has_unsent(session) && session->exit_status == STATUS_OK)
        session->exit_status = STATUS_UNSENT;
}

int session_run(const struct settings *settings)
{
    struct session session = {
        .settings = settings,
        .input = {.line_bytes_max = (size_t)config_bytes(settings->config, "queue.bytes_max")},
        .printer = {.json = settings->json, .terminal = isatty(STDOUT_FILENO)},
        .taking_input = true,
        .stats = stats_begin(),
    };
    /* Lines leave together when nothing more waits, whether a person or a program reads them. */
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (open_session(&session))
        run_to_end(&session);
    hw_connection_release(session.connection);
    hw_inbox_release(session.inbox);
    input_free(&session.input);
    return session.exit_status;
}
