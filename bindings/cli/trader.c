/* The client of `heartwire demo`. */
#define _GNU_SOURCE

#include "trader.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "deliveries.h"
#include "events.h"
#include "interrupts.h"
#include "program.h"

enum { PROGRESS_MS = 1000, FIRST_ORDER = 101 };

void trader_say(const struct trader *trader, const char *who, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%5.1f s  %-8s | ", (double)(clock_ms() - trader->began_ms) / 1000, who);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* ---- Messages */

/* The number that follows the text; 0 if there is none. */
static uint64_t number_after(const hw_message *message, const char *text)
{
    const uint8_t *at = memmem(message->data, message->size, text, strlen(text));
    uint64_t number = 0;
    if (at != NULL)
        for (at += strlen(text); at < message->data + message->size && *at >= '0' && *at <= '9'; at++)
            number = 10 * number + (uint64_t)(*at - '0');
    return number;
}

static void take_message(struct trader *trader, const hw_message *message)
{
    uint64_t trade = number_after(message, "\"trade_seq\":");
    if (trade > 0) {
        trader->shown.skipped += trader->shown.epoch_trades > 0 && trade != trader->trade_last + 1;
        trader->trade_last = trade;
        trader->shown.trades++;
        trader->shown.epoch_trades++;
    }
    if (memmem(message->data, message->size, "\"order_state\"", 13) != NULL) {
        uint64_t order = number_after(message, "\"id\":");
        trader->in_order = trader->in_order && order == trader->filled_last + 1;
        trader->filled_last = order;
        trader->shown.filled++;
        trader_say(trader, "client", "order %" PRIu64 " is filled", order - FIRST_ORDER + 1);
    }
}

void trader_order(struct trader *trader)
{
    char text[160];
    uint64_t order = ++trader->order_last;
    int size = snprintf(text, sizeof text,
                        "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"private/buy\","
                        "\"params\":{\"instrument_name\":\"ETH-EUR\"}}",
                        order);
    hw_connection_send(trader->connection, HW_TEXT, text, (size_t)size, NULL, NULL);
}

/* ---- Events */

static void show_rotation(struct trader *trader, const hw_event *event)
{
    if (event->level == HW_ROTATION_SWITCHED)
        trader_say(trader, "client", "a new connection has taken over");
    if (event->level == HW_ROTATION_FINISHED) {
        trader_say(trader, "client", "the old one is closed");
        trader->shown.rotations++;
    }
}

static void take_event(struct trader *trader, const hw_event *event)
{
    int text_size = (int)event->text_size;
    switch (event->kind) {
    case HW_EVENT_STATE:
        trader->shown.state = event->state;
        trader_say(trader, "client", "%s", state_name(event->state));
        break;
    case HW_EVENT_CLOSED:
        /* A connection that gives way to a new one ends well. */
        if (event->status != HW_OK) {
            trader->shown.losses++;
            trader->shown.epoch_trades = 0;
        }
        trader_say(trader, "client", "connection %" PRIu64 " ended: code %d%s%.*s", event->epoch, event->close_code,
                   text_size > 0 ? ", " : "", text_size, event->text);
        break;
    case HW_EVENT_ATTEMPT_FAILED:
        trader->shown.attempts_failed++;
        trader_say(trader, "client", "attempt failed: %.*s; the next in %" PRIu64 " ms", text_size, event->text, event->delay_ms);
        break;
    case HW_EVENT_BEAT_MISSED:
        trader->shown.missed++;
        trader_say(trader, "client", "%" PRIu64 " in a row unanswered: %.*s", event->count, text_size, event->text);
        break;
    case HW_EVENT_HEARTBEAT_RESPONDED:
        trader->shown.answered++;
        if (event->latency_ns > trader->slowest_ns)
            trader->slowest_ns = event->latency_ns;
        break;
    case HW_EVENT_GAP:
        trader->shown.gaps++;
        trader_say(trader, "client", "gap: nothing came for %.2f s; %" PRIu64 " own messages are in doubt", (double)event->latency_ns / 1e9,
                   event->count);
        break;
    case HW_EVENT_ROTATION:
        show_rotation(trader, event);
        break;
    default:
        break;
    }
}

/* ---- The loop */

static void show_progress(struct trader *trader)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    if (hw_connection_metrics(trader->connection, &metrics) != HW_OK || trader->shown.state != HW_STATE_CONNECTED)
        return;
    trader_say(trader, "client", "trades %4" PRIu64 "  requests answered %2" PRIu64 "  pings %3" PRIu64 "  round trip %.2f ms",
               trader->shown.trades, trader->shown.answered, metrics.beats_sent, (double)metrics.rtt_last_ns / 1e6);
}

static void handle_deliveries(struct trader *trader)
{
    const hw_delivery *deliveries;
    for (size_t count; (count = take_deliveries(trader->inbox, &deliveries)) > 0;)
        for (size_t i = 0; i < count; i++) {
            if (deliveries[i].event != NULL)
                take_event(trader, deliveries[i].event);
            else
                take_message(trader, &deliveries[i].message);
        }
}

bool trader_run(struct trader *trader, trader_condition *condition, const struct shown *first, uint64_t at_most_ms)
{
    uint64_t ends_ms = clock_ms() + at_most_ms;
    for (;;) {
        handle_deliveries(trader);
        if (condition(trader, first))
            return true;
        if (trader->interrupted || clock_ms() >= ends_ms)
            return false;
        if (clock_ms() >= trader->progress_ms) {
            show_progress(trader);
            trader->progress_ms = clock_ms() + PROGRESS_MS;
        }
        struct pollfd descriptors[] = {
            {.fd = hw_inbox_fd(trader->inbox), .events = POLLIN},
            {.fd = trader->interrupts, .events = POLLIN},
        };
        int timeout = milliseconds_until(ends_ms, milliseconds_until(trader->progress_ms, -1));
        if (poll(descriptors, 2, timeout) > 0 && descriptors[1].revents != 0)
            trader->interrupted = true;
    }
}

/* ---- Beginning and end */

bool trader_begin(struct trader *trader)
{
    *trader = (struct trader){.order_last = FIRST_ORDER - 1, .filled_last = FIRST_ORDER - 1, .in_order = true, .began_ms = clock_ms()};
    trader->progress_ms = trader->began_ms + PROGRESS_MS;
    trader->interrupts = watch_interrupts();
    if (trader->interrupts < 0 || hw_inbox_new(NULL, &trader->inbox) != HW_OK || hw_inbox_fd(trader->inbox) < 0) {
        complain("demo: no descriptor: %s", strerror(errno));
        return false;
    }
    return true;
}

static const char *const properties[][2] = {
    {"preset", "deribit"},        {"ping.interval", "500ms"},    {"ping.timeout", "500ms"},
    {"connect.timeout", "1s"},    {"reconnect.base", "250ms"},   {"reconnect.cap", "500ms"},
    {"rotate.linger", "500ms"},   {"rotate.duplicate_key", "/params/data/trade_seq"},
};

static const char subscription[] =
    "{\"jsonrpc\":\"2.0\",\"id\":100,\"method\":\"public/subscribe\",\"params\":{\"channels\":[\"trades.ETH-EUR\"]}}";

bool trader_open(struct trader *trader, uint16_t port)
{
    hw_error error = {.struct_size = sizeof error};
    hw_config *config = NULL;
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/?program=demo", (unsigned)port);
    bool done = hw_config_new(&config) == HW_OK;
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        done = done && config_set(config, "demo", properties[i][0], properties[i][1]);
    hw_config_set_inbox(config, trader->inbox, NULL);
    if (done && hw_connection_open(config, url, &trader->connection, &error) != HW_OK) {
        complain_of_error("demo", &error);
        done = false;
    }
    hw_config_free(config);
    if (done)
        hw_connection_keep(trader->connection, "trades", HW_TEXT, subscription, sizeof subscription - 1);
    return done;
}

static bool has_ended(const struct trader *trader, const struct shown *first)
{
    (void)first;
    return trader->shown.state == HW_STATE_DISCONNECTED || trader->shown.state == HW_STATE_FAILED;
}

void trader_close(struct trader *trader)
{
    enum { CLOSE_MS = 6000 };
    hw_metrics metrics = {.struct_size = sizeof metrics};
    hw_connection_close(trader->connection, 1000, "done");
    trader_run(trader, has_ended, NULL, CLOSE_MS);
    hw_connection_metrics(trader->connection, &metrics);
    printf("\nreconnected %" PRIu64 " times, rotated %" PRIu64 " times; %" PRIu64 " trades\n"
           "answered %" PRIu64 " heartbeat requests, the slowest after %.2f ms\n"
           "sent %" PRIu64 " pings, of which %" PRIu64 " were missed: mean round trip %.2f ms\n",
           metrics.reconnections, metrics.rotations, trader->shown.trades, trader->shown.answered, (double)trader->slowest_ns / 1e6,
           metrics.beats_sent, metrics.beats_missed, (double)metrics.rtt_mean_ns / 1e6);
}

void trader_end(struct trader *trader)
{
    hw_connection_release(trader->connection);
    hw_inbox_release(trader->inbox);
}
