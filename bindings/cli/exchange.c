/*
 * A simulated exchange in the manner of Deribit: it trades, asks for signs of life, cuts connections off, and keeps books.
 *
 * The requests are asked and answered by heartbeat rules, on the library's own thread; what is left to do here is to trade and to count.
 */
#define _GNU_SOURCE

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "program.h"
#include "record.h"
#include "server.h"

enum { TRADE_INTERVAL_MS = 50, PROGRAMS_MAX = 64, NAME_BYTES_MAX = 63, SECONDS_MAX = 86400, NEVER = 0 };

/* Who asks for heartbeats gets them as often as it asks, but at least every two seconds; none when the market is closed. */
static const char rules[] =
    "{\"learn\":[{\"on\":{\"json\":{\"/method\":\"public/set_heartbeat\"}},\"path\":\"/params/interval\",\"var\":\"interval\"},"
    "{\"on\":{\"json\":{\"/method\":\"market_closed\"}},\"path\":\"/params/interval\",\"var\":\"interval\",\"dir\":\"out\"}],"
    "\"beat\":[{\"every\":{\"var\":\"interval\",\"unit\":\"s\",\"max_ms\":2000,\"default_ms\":2000},"
    "\"send\":{\"body\":\"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"method\\\":\\\"heartbeat\\\","
    "\\\"params\\\":{\\\"type\\\":\\\"test_request\\\"}}\"},"
    "\"ack\":{\"on\":{\"json\":{\"/method\":\"public/test\"}},\"within\":\"2s\"}}],"
    "\"reply\":[{\"on\":{\"json\":{\"/method\":\"public/test\"}},\"take\":{\"id\":\"/id\"},\"send\":{\"body\":"
    "\"{\\\"jsonrpc\\\":\\\"2.0\\\",${?id}\\\"id\\\":${id},${/}\\\"result\\\":{\\\"version\\\":\\\"1.2.26\\\"}}\"}},"
    "{\"on\":[{\"json\":{\"/method\":\"public/subscribe\"}},{\"json\":{\"/method\":\"public/unsubscribe\"}}],"
    "\"take\":{\"id\":\"/id\",\"channels\":\"/params/channels\"},\"send\":{\"body\":"
    "\"{\\\"jsonrpc\\\":\\\"2.0\\\",${?id}\\\"id\\\":${id},${/}\\\"result\\\":${channels}}\"}},"
    "{\"on\":{\"json\":{\"/method\":\"private/buy\"}},\"take\":{\"id\":\"/id\",\"label\":\"/params/label\"},\"send\":{\"body\":"
    "\"{\\\"jsonrpc\\\":\\\"2.0\\\",${?id}\\\"id\\\":${id},${/}\\\"result\\\":{\\\"order\\\":"
    "{${?label}\\\"label\\\":${label},${/}\\\"order_state\\\":\\\"filled\\\"}}}\"}},"
    "{\"on\":{\"json\":{\"/method\":\"public/set_heartbeat\"}},\"take\":{\"id\":\"/id\"},\"send\":{\"body\":"
    "\"{\\\"jsonrpc\\\":\\\"2.0\\\",${?id}\\\"id\\\":${id},${/}\\\"result\\\":\\\"ok\\\"}\"}}]}";

static const char market_closed[] = "{\"jsonrpc\":\"2.0\",\"method\":\"market_closed\",\"params\":{\"interval\":0}}";

/* What is traded; each is a group of the listener. Who subscribes to nothing gets the first. */
static struct channel {
    const char *name;
    uint32_t price;
    uint64_t trades;
} channels[] = {
    {.name = "trades.BTC-EUR", .price = 91500},
    {.name = "trades.ETH-EUR", .price = 3120},
    {.name = "trades.SOL-EUR", .price = 140},
};
enum { CHANNEL_COUNT = sizeof channels / sizeof *channels };

/* What is known about one program, over all its connections. */
struct books {
    char program[NAME_BYTES_MAX + 1];
    uint64_t connections, cuts, messages_sent, test_requests, answers, answer_slowest_ns, pings_received;
    uint64_t closes_ms; /* when trading ends for it; NEVER */
};

struct exchange {
    struct books books[PROGRAMS_MAX];
    size_t programs;
    uint64_t due_ms; /* the next trades */
};

/* One connection of a program: a client's own. */
struct trader {
    struct books *books;
    uint64_t cut_ms; /* when it is cut off; NEVER */
    bool subscribed; /* to channels that it has named */
    bool closed;     /* trading has ended for it */
    hw_metrics seen; /* what of the connection is in the books */
};

/* ---- What clients ask for in the query of the URL */

/* The value of a parameter, up to size bytes of it; NULL if it is not there. */
static const char *parameter(const char *resource, const char *name, size_t *size)
{
    size_t name_size = strlen(name);
    for (const char *at = strchr(resource, '?'); at != NULL; at = strchr(at, '&')) {
        at++;
        if (strncmp(at, name, name_size) == 0 && at[name_size] == '=') {
            *size = strcspn(at + name_size + 1, "&");
            return at + name_size + 1;
        }
    }
    return NULL;
}

/* The clock's time so many seconds from now as the parameter says; NEVER if it does not say so. */
static uint64_t time_of(const char *resource, const char *name)
{
    size_t size;
    const char *value = parameter(resource, name, &size);
    double seconds = value != NULL ? strtod(value, NULL) : 0;
    return seconds > 0 && seconds <= SECONDS_MAX ? clock_ms() + (uint64_t)(seconds * 1000) : NEVER;
}

/* The books of the program that the client is; those who give no name share some, and so do all who come when there are too many. */
static struct books *books_of(struct exchange *exchange, const char *resource)
{
    char name[NAME_BYTES_MAX + 1] = "unnamed";
    size_t size;
    const char *value = parameter(resource, "program", &size);
    if (value != NULL)
        snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : sizeof name - 1), value);
    for (size_t i = 0; i < exchange->programs; i++)
        if (strcmp(exchange->books[i].program, name) == 0)
            return &exchange->books[i];
    if (exchange->programs == PROGRAMS_MAX)
        return &exchange->books[PROGRAMS_MAX - 1];
    struct books *books = &exchange->books[exchange->programs++];
    memcpy(books->program, exchange->programs < PROGRAMS_MAX ? name : "others", sizeof name);
    books->closes_ms = time_of(resource, "seconds");
    return books;
}

/* ---- Clients */

static bool is_closed(const struct books *books)
{
    return books->closes_ms != NEVER && clock_ms() >= books->closes_ms;
}

static void opened(struct server *server, struct client *client)
{
    struct trader *trader = calloc(1, sizeof *trader);
    if (trader == NULL) {
        hw_connection_release(client->connection);
        return;
    }
    client->own = trader;
    trader->books = books_of(server->own, client->resource);
    if (trader->books->connections++ == 0)
        trader->cut_ms = time_of(client->resource, "cut");
    if (!is_closed(trader->books))
        hw_listener_join(server->listener, client->connection, channels[0].name);
}

static void forget_channels(struct server *server, struct client *client)
{
    for (size_t i = 0; i < CHANNEL_COUNT; i++)
        hw_listener_leave(server->listener, client->connection, channels[i].name);
}

static bool holds(const hw_message *message, const char *text)
{
    return memmem(message->data, message->size, text, strlen(text)) != NULL;
}

/* The rules have answered it already; which channels it names is all that is of interest. */
static void received(struct server *server, struct client *client, const hw_message *message)
{
    struct trader *trader = client->own;
    bool subscribes = holds(message, "\"public/subscribe\"");
    if (trader == NULL || trader->closed || (!subscribes && !holds(message, "\"public/unsubscribe\"")))
        return;
    if (!trader->subscribed)
        forget_channels(server, client);
    trader->subscribed = true;
    for (size_t i = 0; i < CHANNEL_COUNT; i++)
        if (holds(message, channels[i].name))
            (subscribes ? hw_listener_join : hw_listener_leave)(server->listener, client->connection, channels[i].name);
}

/* Brings the books up to date. This is done all the time, because the counters of a connection that has ended cannot be read any more. */
static void keep_books(struct trader *trader, hw_connection *connection)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    if (hw_connection_metrics(connection, &metrics) != HW_OK)
        return;
    trader->books->messages_sent += metrics.messages_sent - trader->seen.messages_sent;
    trader->books->pings_received += metrics.pings_received - trader->seen.pings_received;
    trader->seen = metrics;
}

static void happened(struct server *server, struct client *client, const hw_event *event)
{
    (void)server;
    struct trader *trader = client->own;
    if (trader == NULL)
        return;
    struct books *books = trader->books;
    /* Pings are no rule's. */
    if (event->kind == HW_EVENT_BEAT_SENT && event->rule >= 0)
        books->test_requests++;
    if (event->kind == HW_EVENT_BEAT_ACKED && event->rule >= 0) {
        books->answers++;
        if (event->latency_ns > books->answer_slowest_ns)
            books->answer_slowest_ns = event->latency_ns;
    }
}

/* ---- Time */

static void trade(struct server *server)
{
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        char text[256];
        uint64_t number = ++channels[i].trades;
        int size = snprintf(text, sizeof text,
                            "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"%s\",\"data\":"
                            "{\"trade_seq\":%" PRIu64 ",\"price\":%" PRIu64 "}}}",
                            channels[i].name, number, channels[i].price + number % 40);
        uint64_t reached = 0;
        hw_listener_broadcast(server->listener, channels[i].name, HW_TEXT, text, (size_t)size, &reached);
        server->totals.sent += reached;
    }
}

static void close_market(struct server *server, struct client *client, struct trader *trader)
{
    trader->closed = true;
    forget_channels(server, client);
    hw_connection_send(client->connection, HW_TEXT, market_closed, sizeof market_closed - 1, NULL, NULL);
}

static void cut(struct client *client, struct trader *trader)
{
    trader->cut_ms = NEVER;
    trader->books->cuts++;
    complain("client %" PRIu64 ", %s, is cut off", client->number, trader->books->program);
    client->open = false;
    hw_connection_release(client->connection);
}

static uint64_t work(struct server *server)
{
    struct exchange *exchange = server->own;
    trade(server);
    size_t at = 0;
    for (struct client *client; (client = clients_next(&server->clients, &at)) != NULL;) {
        struct trader *trader = client->own;
        if (trader == NULL || !client->open)
            continue;
        keep_books(trader, client->connection);
        if (trader->cut_ms != NEVER && clock_ms() >= trader->cut_ms)
            cut(client, trader);
        else if (!trader->closed && is_closed(trader->books))
            close_market(server, client, trader);
    }
    /* An exchange that was stopped for a while does not make up for its trades. */
    uint64_t now = clock_ms();
    exchange->due_ms = exchange->due_ms + TRADE_INTERVAL_MS > now ? exchange->due_ms + TRADE_INTERVAL_MS : now + TRADE_INTERVAL_MS;
    return exchange->due_ms;
}

/* ---- Beginning and end */

static bool prepare(struct server *server)
{
    static struct exchange exchange;
    server->own = &exchange;
    hw_error error = {.struct_size = sizeof error};
    if (hw_config_add_rule(server->settings->config, rules, sizeof rules - 1, &error) == HW_OK)
        return true;
    complain_of_error("serve: --exchange", &error);
    return false;
}

static void report(struct server *server)
{
    const struct exchange *exchange = server->own;
    for (size_t i = 0; i < exchange->programs; i++) {
        const struct books *books = &exchange->books[i];
        struct record record = record_begin(stdout, server->settings->json, "books", NULL, NULL);
        record_text(&record, "program", books->program, strlen(books->program));
        record_number(&record, "connections", books->connections);
        record_number(&record, "cuts", books->cuts);
        record_number(&record, "messages_sent", books->messages_sent);
        record_number(&record, "test_requests", books->test_requests);
        record_number(&record, "answers", books->answers);
        record_number(&record, "answer_slowest_ns", books->answer_slowest_ns);
        record_number(&record, "pings_received", books->pings_received);
        record_end(&record);
    }
}

const struct service exchange_service = {
    .prepare = prepare,
    .opened = opened,
    .message = received,
    .event = happened,
    .work = work,
    .report = report,
};
