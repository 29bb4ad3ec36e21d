/* `heartwire serve`: its options. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "config.h"
#include "server.h"

enum { ECHO, EXCHANGE, BROADCAST, HOST, PORT, SET, METRICS, MONITOR, JSON, EVENTS, STATS };

static const struct option options[] = {
    {ECHO, "--echo", NULL, "send each message back to whom it came from; this is done if nothing else is asked for"},
    {EXCHANGE, "--exchange", NULL, "simulate an exchange: trades, heartbeats, subscriptions, cuts"},
    {BROADCAST, "--broadcast", NULL, "send each line of standard input to all clients, and print what they send"},
    {HOST, "--host", "HOST", "address or name to listen at, 127.0.0.1 if not given; '::' for all of this machine's addresses"},
    {PORT, "--port", "N", "port to listen at, 8080 if not given; 0 takes a free one"},
    {SET, "--set", "NAME=VALUE", "set a property; 'heartwire properties' lists them; may be repeated"},
    {METRICS, "--metrics", NULL, "answer GET /metrics and /healthz; short for --set listener.metrics=true"},
    {MONITOR, "--monitor", NULL, "show all connections on a page, /monitor; short for --set listener.monitor=true"},
    {JSON, "--json", NULL, "print everything as JSON objects, one on a line"},
    {EVENTS, "--events", NULL, "print the events of all clients: as lines on standard error, with --json as objects"},
    {STATS, "--stats", NULL, "a line a second on standard error: clients, messages, rates, beats"},
    {.name = NULL},
};

/* Messages are taken whole, from an inbox. */
static const char *const own_properties[] = {"delivery", "message.part_bytes", NULL};

struct arguments_read {
    struct server_settings server;
    const char *host, *port;
    char url[512]; /* made of these */
};

static bool choose(struct server_settings *server, const struct service *service)
{
    if (server->service != NULL && server->service != service) {
        complain("serve: only one of --echo, --exchange and --broadcast at a time");
        return false;
    }
    server->service = service;
    return true;
}

static bool apply(struct arguments_read *read, int option, const char *value)
{
    struct server_settings *server = &read->server;
    switch (option) {
    case ECHO:
        return choose(server, &echo_service);
    case EXCHANGE:
        return choose(server, &exchange_service);
    case BROADCAST:
        return choose(server, &broadcast_service);
    case HOST:
        read->host = value;
        return true;
    case PORT:
        read->port = value;
        return true;
    case SET:
        return config_assign(server->config, value, own_properties);
    case METRICS:
        return config_set(server->config, "--metrics", "listener.metrics", "true");
    case MONITOR:
        return config_set(server->config, "--monitor", "listener.monitor", "true");
    case JSON:
        server->json = true;
        return true;
    case EVENTS:
        server->events = true;
        return true;
    default:
        server->stats = true;
        return true;
    }
}

/* One argument; false if it is wrong. */
static bool take(struct arguments_read *read, const struct arguments *arguments, int found)
{
    if (found == ARGUMENT_WRONG)
        return false;
    if (found != ARGUMENT_OPERAND)
        return apply(read, found, arguments->value);
    if (read->server.url != NULL) {
        complain("serve: one URL at a time; '%s' is too much", arguments->value);
        return false;
    }
    read->server.url = arguments->value;
    return true;
}

/* Makes the URL of host and port if none was given; false if both were. */
static bool find_url(struct arguments_read *read)
{
    if (read->server.url != NULL && (read->host != NULL || read->port != NULL)) {
        complain("serve: the URL says where to listen; leave out --host and --port");
        return false;
    }
    if (read->server.url != NULL)
        return true;
    const char *host = read->host != NULL ? read->host : "127.0.0.1";
    bool is_ipv6 = strchr(host, ':') != NULL && host[0] != '[';
    int size = snprintf(read->url, sizeof read->url, "ws://%s%s%s:%s", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
                        read->port != NULL ? read->port : "8080");
    read->server.url = read->url;
    if (size < (int)sizeof read->url)
        return true;
    complain("serve: --host is too long");
    return false;
}

/* False: the program ends with exit_status; what is wrong was complained of. */
static bool read_arguments(struct arguments_read *read, const struct command *command, char **argv, int *exit_status)
{
    struct arguments arguments = {.command = command, .next = argv};
    *exit_status = STATUS_USAGE;
    for (int found; (found = argument_next(&arguments)) != ARGUMENT_END;) {
        if (found == ARGUMENT_HELP) {
            print_command_help(command);
            *exit_status = finish_output();
            return false;
        }
        if (!take(read, &arguments, found))
            return false;
    }
    if (read->server.service == NULL)
        read->server.service = &echo_service;
    return find_url(read);
}

static int run(const struct command *command, int argc, char **argv)
{
    (void)argc;
    struct arguments_read read = {.host = NULL};
    int exit_status = STATUS_SYSTEM;
    if (hw_config_new(&read.server.config) != HW_OK)
        complain("serve: no memory");
    else if (read_arguments(&read, command, argv, &exit_status))
        exit_status = server_run(&read.server);
    hw_config_free(read.server.config);
    return exit_status;
}

const struct command serve_command = {
    .name = "serve",
    .arguments = "[OPTION]... [URL]",
    .summary = "let clients in and keep them alive: echo, broadcast, exchange",
    .help = "Listens at URL, ws://127.0.0.1:8080 if none is given, and keeps the clients that\n"
            "come alive: each is pinged every ping.interval (30s), and one that has missed\n"
            "ping.missed_max pongs is closed with 1001. The first line of standard output is\n"
            "'listening at URL', with the port that was taken if it was 0; the addresses of\n"
            "the pages that --metrics and --monitor ask for follow.\n",
    .options = options,
    .notes = "--echo loses no message unnoticed: a client that sends but does not take its\n"
             "echoes, until queue.bytes_max or queue.messages_max wait for it, is closed with\n"
             "1013 after those.\n"
             "\n"
             "--broadcast sends to who is there. A client whose queue is full misses the line,\n"
             "or the oldest that waits for it (queue.overflow). What client 3 sends is printed\n"
             "as '3: TEXT', a binary message in base64 after '3: binary, N bytes: '. The end\n"
             "of the input ends nothing.\n"
             "\n"
             "--exchange speaks in the manner of Deribit (JSON-RPC): trades of BTC-EUR, 20 a\n"
             "second, or of what public/subscribe names in params.channels (trades.BTC-EUR,\n"
             "trades.ETH-EUR, trades.SOL-EUR); a test_request every 2 s, to be answered with\n"
             "public/test within 2 s; private/buy fills orders. A client that leaves\n"
             "heartbeat.failure_threshold (5) requests in a row unanswered is closed with\n"
             "1001, 12 s after it came if it answers none. The URL's query asks for more:\n"
             "  program=NAME  whose books the connection is counted in; they are printed at\n"
             "                the end: messages, requests, answers and the slowest, pings\n"
             "  cut=SECONDS   cut the program's first connection off after this time\n"
             "  seconds=N     end trading and heartbeats so long after its first connection\n"
             "\n"
             "With --json the first line is {\"type\":\"listening\",\"url\":...,\"port\":...}, a\n"
             "message {\"type\":\"message\",\"client\":3,...}, an event {\"type\":\"event\",...}, and\n"
             "books {\"type\":\"books\",\"program\":...}.\n"
             "\n"
             "TLS: a URL with wss, --set tls.certificate_file=FILE and, if the key is not in\n"
             "it, --set tls.key_file=FILE.\n"
             "\n"
             "Ctrl-C, SIGTERM or SIGHUP closes all clients with 1001 when the messages that\n"
             "wait are sent, within close.timeout, and says how that went; a second one cuts\n"
             "them off. If whatever reads the output goes away the server goes on.\n"
             "\n"
             "Exit status:\n"
             "  0  ended as asked\n"
             "  1  ended as asked, but not every message was sent\n"
             "  2  an option, a property or the URL is wrong\n"
             "  3  the host has no such address\n"
             "  4  TLS: certificate or key\n"
             "  8  the operating system refused: the port is taken, no memory, no output\n"
             "  130, 143, 129: cut off by a second SIGINT, SIGTERM or SIGHUP\n"
             "\n"
             "Examples:\n"
             "  heartwire serve --port 0\n"
             "  tail -f news.txt | heartwire serve --broadcast --host ::\n"
             "  heartwire serve --exchange &\n"
             "  heartwire connect --preset deribit 'ws://127.0.0.1:8080/?cut=5'\n",
    .run = run,
};
