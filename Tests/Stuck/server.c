/*
 * A server that asks every connection for a sign of life once a second and cuts it when an answer takes longer than 1.5 seconds.
 *
 * Usage: server BOOKS   prints its port when ready and ends with its standard input, printing its books: a JSON list of what it
 * saw of the connections to /?book=0, /?book=1 and so on.
 *
 * It speaks Deribit's protocol. Each connection has a thread, which takes what has arrived before it looks at the time, so that an
 * answer that this program was slow to read is late by its own fault in the worst case, and never lost.
 */
#define _GNU_SOURCE

#include "deribit.h"
#include "descriptors.h"
#include "handshake.h"
#include "listener.h"
#include <poll.h>
#include <signal.h>

/* No more requests than this can be unanswered: the deadline is shorter than two intervals. */
enum { UNANSWERED_MAX = 2, NS_PER_MS = 1000000 };

static const uint64_t INTERVAL_NS = 1000000000u, DEADLINE_NS = 1500000000u;

/* What the server saw of a host's connections. A request is answered, missed (the link is cut), or under way when the client leaves. */
struct book {
    long connections, requests, answers, missed, under_way, lost;
    uint64_t slowest_ns, own_delay_ns;
};

static struct book *books;
static long book_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* One connection's part of it. */
struct asking {
    struct peer *peer;
    struct book seen;
    uint64_t asked_ns[UNANSWERED_MAX];
};

static uint64_t now_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

static uint64_t oldest_unanswered(const struct asking *asking)
{
    return asking->asked_ns[asking->seen.answers % UNANSWERED_MAX];
}

static int is_unanswered(const struct asking *asking)
{
    return asking->seen.answers < asking->seen.requests;
}

static int ask(struct asking *asking, uint64_t due_ns)
{
    uint64_t now = now_ns();
    if (now - due_ns > asking->seen.own_delay_ns)
        asking->seen.own_delay_ns = now - due_ns;
    asking->asked_ns[asking->seen.requests++ % UNANSWERED_MAX] = now;
    return send_request(asking->peer);
}

/* Takes one frame; 0 if it was the last, or none. */
static int take(struct asking *asking)
{
    struct frame frame;
    if (!receive_frame(asking->peer, &frame)) {
        asking->seen.lost++;
        return 0;
    }
    if (is_answer(&frame) && is_unanswered(asking)) {
        uint64_t taken = now_ns() - oldest_unanswered(asking);
        if (taken > asking->seen.slowest_ns)
            asking->seen.slowest_ns = taken;
        asking->seen.answers++;
    } else if (frame.opcode == OPCODE_PING) {
        send_control(asking->peer, OPCODE_PONG, frame.payload, frame.size);
    } else if (frame.opcode == OPCODE_CLOSE) {
        send_control(asking->peer, OPCODE_CLOSE, frame.payload, frame.size);
        return 0;
    }
    return 1;
}

/* Asks until the client leaves, or is too slow. */
static void keep_asking(struct asking *asking)
{
    uint64_t next = now_ns() + INTERVAL_NS;
    for (;;) {
        uint64_t due = next, now = now_ns();
        if (is_unanswered(asking) && oldest_unanswered(asking) + DEADLINE_NS < due)
            due = oldest_unanswered(asking) + DEADLINE_NS;
        struct pollfd ready = {.fd = asking->peer->fd, .events = POLLIN};
        if (poll(&ready, 1, due > now ? (int)((due - now) / NS_PER_MS) + 1 : 0) > 0) {
            if (!take(asking))
                return;
        } else if (is_unanswered(asking) && now_ns() > oldest_unanswered(asking) + DEADLINE_NS) {
            asking->seen.missed++;
            return;
        } else if (now_ns() >= next) {
            if (!ask(asking, next))
                return;
            next += INTERVAL_NS;
        }
    }
}

static void enter(struct book *book, const struct book *seen)
{
    pthread_mutex_lock(&lock);
    book->connections++;
    book->requests += seen->requests;
    book->answers += seen->answers;
    book->missed += seen->missed;
    book->under_way += seen->requests - seen->answers - seen->missed;
    book->lost += seen->lost;
    book->slowest_ns = seen->slowest_ns > book->slowest_ns ? seen->slowest_ns : book->slowest_ns;
    book->own_delay_ns = seen->own_delay_ns > book->own_delay_ns ? seen->own_delay_ns : book->own_delay_ns;
    pthread_mutex_unlock(&lock);
}

static void serve(struct peer *peer)
{
    char head[8192];
    if (!receive_head(peer, head, sizeof head) || !answer_handshake(peer, head))
        return;
    long number = query_number(head, "book=", 0);
    if (number < 0 || number >= book_count)
        return;
    struct asking asking = {.peer = peer};
    keep_asking(&asking);
    enter(&books[number], &asking.seen);
}

static void print_books(void)
{
    pthread_mutex_lock(&lock);
    for (long i = 0; i < book_count; i++) {
        const char *form = "%s{\"connections\": %ld, \"requests\": %ld, \"answers\": %ld, \"missed\": %ld, \"under_way\": %ld, "
                           "\"lost\": %ld, \"slowest_ms\": %.2f, \"own_delay_ms\": %.2f}";
        const struct book *book = &books[i];
        printf(form, i == 0 ? "[" : ", ", book->connections, book->requests, book->answers, book->missed, book->under_way, book->lost,
               (double)book->slowest_ns / NS_PER_MS, (double)book->own_delay_ns / NS_PER_MS);
    }
    printf("]\n");
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    static struct listener listener = {.serve = serve};
    if (argc != 2)
        return 2;
    book_count = strtol(argv[1], NULL, 10);
    books = calloc((size_t)book_count, sizeof *books);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    printf("%d\n", start_listener(&listener));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    print_books();
    return 0;
}
