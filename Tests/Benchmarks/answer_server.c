/*
 * Asks clients for signs of life in Deribit's protocol, and measures how long each answer takes from the request's send to its arrival.
 *
 * Usage: answer_server idle|flood CONNECTIONS REQUESTS   prints its port, takes that many connections, asks, says "done" to each, and when
 * all have left prints the figures as JSON.
 *
 * idle asks one connection after the other, the next as soon as the answer is there. flood spreads 50,000 messages of 300 bytes a second
 * evenly over the connections, and after every tenth asks the next one. The program never sleeps, so that it adds no wake-up to what it
 * measures.
 */
#define _GNU_SOURCE

#include "deribit.h"
#include "descriptors.h"
#include "handshake.h"
#include "listener.h"
#include <signal.h>
#include <sys/epoll.h>

enum { MESSAGE_SIZE = 300, MESSAGES_PER_S = 50000, MESSAGES_PER_REQUEST = 10, EVENTS_MAX = 64 };


struct client {
    struct peer peer;
    uint64_t *asked_ns;
    long asked, answered;
};

struct run {
    struct client *clients;
    long client_count, requests, asked, answered, sent;
    uint64_t *latencies_ns;
    int epoll;
};

static uint64_t now_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void accept_clients(struct run *run, int listening)
{
    for (long i = 0; i < run->client_count; i++) {
        struct client *client = &run->clients[i];
        char head[8192];
        client->peer.fd = accept_at_once(listening);
        client->asked_ns = calloc((size_t)(run->requests / run->client_count) + 1, sizeof *client->asked_ns);
        if (!receive_head(&client->peer, head, sizeof head) || !answer_handshake(&client->peer, head))
            fail("a handshake failed");
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(run->epoll, EPOLL_CTL_ADD, client->peer.fd, &event);
    }
}

static void ask(struct run *run)
{
    struct client *client = &run->clients[run->asked++ % run->client_count];
    client->asked_ns[client->asked++] = now_ns();
    if (!send_request(&client->peer))
        fail("a client has left");
}

static size_t put_data(unsigned char *frame)
{
    static const char start[] = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"ticker.BTC\",\"data\":\"";
    static const char end[] = "\"}}";
    unsigned char *text = frame + put_header(frame, OPCODE_TEXT, MESSAGE_SIZE);
    memset(text, 'x', MESSAGE_SIZE);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + MESSAGE_SIZE - (sizeof end - 1), end, sizeof end - 1);
    return (size_t)(text - frame) + MESSAGE_SIZE;
}

/* Takes a frame from each client that has sent one. */
static void take_answers(struct run *run)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(run->epoll, events, EVENTS_MAX, 0);
    uint64_t now = now_ns();
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        struct frame frame;
        if (!receive_frame(&client->peer, &frame) || frame.opcode == OPCODE_CLOSE)
            fail("a client has left");
        if (is_answer(&frame) && client->answered < client->asked)
            run->latencies_ns[run->answered++] = now - client->asked_ns[client->answered++];
    }
}

static void ask_one_by_one(struct run *run)
{
    while (run->answered < run->requests) {
        if (run->asked == run->answered)
            ask(run);
        take_answers(run);
    }
}

/* A message that is late goes out at once; the pace is kept on average. */
static void ask_in_flood(struct run *run)
{
    unsigned char frame[HEADER_SIZE_MAX + MESSAGE_SIZE];
    size_t size = put_data(frame);
    for (uint64_t next = now_ns(); run->answered < run->requests; take_answers(run)) {
        if (now_ns() < next)
            continue;
        next += 1000000000u / MESSAGES_PER_S;
        if (!send_all(&run->clients[run->sent++ % run->client_count].peer, frame, size))
            fail("a client has left");
        if (run->sent % MESSAGES_PER_REQUEST == 0 && run->asked < run->requests)
            ask(run);
    }
}

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void print_figures(const struct run *run, double seconds)
{
    qsort(run->latencies_ns, (size_t)run->requests, sizeof *run->latencies_ns, by_size);
    const double permille[] = {500, 990, 999};
    double us[3];
    for (int i = 0; i < 3; i++)
        us[i] = (double)run->latencies_ns[(long)((double)run->requests * permille[i] / 1000)] / 1e3;
    printf("{\"median_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, \"messages_per_s\": %.0f}\n", us[0], us[1], us[2],
           (double)run->latencies_ns[run->requests - 1] / 1e3, (double)run->sent / seconds);
}

static void say_done(struct run *run)
{
    for (long i = 0; i < run->client_count; i++)
        send_control(&run->clients[i].peer, OPCODE_TEXT, "done", 4);
    for (long i = 0; i < run->client_count; i++) {
        struct client *client = &run->clients[i];
        struct frame frame;
        while (receive_frame(&client->peer, &frame))
            if (frame.opcode == OPCODE_CLOSE) {
                send_control(&client->peer, OPCODE_CLOSE, frame.payload, frame.size);
                break;
            }
        close(client->peer.fd);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    struct run run = {.client_count = strtol(argv[2], NULL, 10), .requests = strtol(argv[3], NULL, 10)};
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.clients = calloc((size_t)run.client_count, sizeof *run.clients);
    run.latencies_ns = calloc((size_t)run.requests, sizeof *run.latencies_ns);
    int port, listening = listen_on_loopback(&port);
    printf("%d\n", port);
    fflush(stdout);

    accept_clients(&run, listening);
    uint64_t start = now_ns();
    strcmp(argv[1], "flood") == 0 ? ask_in_flood(&run) : ask_one_by_one(&run);
    double seconds = (double)(now_ns() - start) / 1e9;
    say_done(&run);
    print_figures(&run, seconds);
    return 0;
}
