/*
 * Sends one feed of numbered messages to every connection, and checks the numbers that come back.
 *
 * Usage: feed_server MESSAGES_PER_S
 *
 * Prints its port. Each message, {"n":NUMBER}, goes to all connections that are open then, in bursts each millisecond. The messages that
 * come are numbers of the client's own, counted from 1 over all its connections. When its standard input ends it prints as JSON how many
 * of them never came (up to the highest that did), came twice, or came out of order within their connection.
 */
#define _GNU_SOURCE

#include "handshake.h"
#include "listener.h"
#include <errno.h>
#include <poll.h>

enum { CONNECTIONS_MAX = 8, BURSTS_PER_S = 1000, INPUT_BYTES = 1 << 18, NUMBERS_MAX = 1 << 23 };

struct connection {
    struct peer peer;
    unsigned char *input;
    size_t size;
    uint64_t last;
};

static struct {
    struct connection connections[CONNECTIONS_MAX];
    size_t count;
    unsigned char *seen;
    uint64_t highest, doubled, disordered;
} server;

static void add_connection(int listening)
{
    char head[8192];
    struct connection connection = {.peer.fd = accept_at_once(listening), .input = malloc(INPUT_BYTES)};
    if (server.count == CONNECTIONS_MAX || !receive_head(&connection.peer, head, sizeof head) || !answer_handshake(&connection.peer, head))
        exit(1);
    server.connections[server.count++] = connection;
}

static void remove_connection(size_t index)
{
    close(server.connections[index].peer.fd);
    free(server.connections[index].input);
    server.connections[index] = server.connections[--server.count];
}

static void take_number(struct connection *connection, uint64_t number)
{
    if (number == 0 || number >= NUMBERS_MAX)
        exit(1);
    server.doubled += server.seen[number];
    server.seen[number] = 1;
    server.disordered += number <= connection->last;
    connection->last = number;
    if (number > server.highest)
        server.highest = number;
}

/* Takes the frame at the beginning of the input, whose payload is short. Returns its size; 0: not whole yet; -1: the connection's last. */
static int take_frame(struct connection *connection, unsigned char *input, size_t size)
{
    size_t payload_size = size < 2 ? 0 : input[1] & 0x7F, frame_size = 6 + payload_size;
    if (size < frame_size)
        return 0;
    unsigned char payload[CONTROL_SIZE_MAX + 1] = {0};
    if (payload_size > CONTROL_SIZE_MAX)
        exit(1);
    for (size_t i = 0; i < payload_size; i++)
        payload[i] = input[6 + i] ^ input[2 + i % 4];
    int opcode = input[0] & 0x0F;
    if (opcode == OPCODE_TEXT)
        take_number(connection, strtoull((char *)payload, NULL, 10));
    else if (opcode == OPCODE_PING)
        send_control(&connection->peer, OPCODE_PONG, payload, payload_size);
    else if (opcode == OPCODE_CLOSE) {
        send_control(&connection->peer, OPCODE_CLOSE, payload, payload_size);
        return -1;
    }
    return (int)frame_size;
}

/* 0 if the connection has ended. */
static int take_input(struct connection *connection)
{
    ssize_t count = recv(connection->peer.fd, connection->input + connection->size, INPUT_BYTES - connection->size, MSG_DONTWAIT);
    if (count <= 0)
        return count < 0 && errno == EAGAIN;
    connection->size += (size_t)count;
    size_t taken = 0;
    for (int size; (size = take_frame(connection, connection->input + taken, connection->size - taken)) != 0; taken += (size_t)size)
        if (size < 0)
            return 0;
    connection->size -= taken;
    memmove(connection->input, connection->input + taken, connection->size);
    return 1;
}

/* Sends so many messages of the feed to all connections. */
static void send_burst(uint64_t *number, long messages)
{
    static unsigned char burst[1 << 16];
    size_t size = 0;
    for (long i = 0; i < messages; i++) {
        char text[32];
        int text_size = snprintf(text, sizeof text, "{\"n\":%llu}", (unsigned long long)++*number);
        size += put_header(burst + size, OPCODE_TEXT, (size_t)text_size);
        memcpy(burst + size, text, (size_t)text_size);
        size += (size_t)text_size;
    }
    for (size_t i = server.count; i-- > 0;)
        if (!send_all(&server.connections[i].peer, burst, size))
            remove_connection(i);
}

/* Until the standard input ends. */
static void serve(int listening, long messages_per_burst)
{
    uint64_t number = 0, interval = 1000000000u / BURSTS_PER_S;
    for (uint64_t due = read_clock_ns(CLOCK_MONOTONIC);;) {
        struct pollfd polled[CONNECTIONS_MAX + 2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = listening, .events = POLLIN}};
        size_t count = server.count;
        for (size_t i = 0; i < count; i++)
            polled[2 + i] = (struct pollfd){.fd = server.connections[i].peer.fd, .events = POLLIN};
        uint64_t now = read_clock_ns(CLOCK_MONOTONIC);
        struct timespec pause = {.tv_nsec = now < due ? (long)(due - now) : 0};
        ppoll(polled, 2 + count, &pause, NULL);
        if (polled[0].revents != 0)
            return;
        for (size_t i = count; i-- > 0;)
            if (polled[2 + i].revents != 0 && !take_input(&server.connections[i]))
                remove_connection(i);
        if (polled[1].revents != 0)
            add_connection(listening);
        for (; read_clock_ns(CLOCK_MONOTONIC) >= due; due += interval)
            send_burst(&number, messages_per_burst);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    int port, listening = listen_on_loopback(&port);
    server.seen = calloc(NUMBERS_MAX, 1);
    printf("%d\n", port);
    fflush(stdout);
    serve(listening, strtol(argv[1], NULL, 10) / BURSTS_PER_S);
    uint64_t lost = server.highest;
    for (uint64_t number = 1; number <= server.highest; number++)
        lost -= server.seen[number];
    printf("{\"out\": %llu, \"out_lost\": %llu, \"out_doubled\": %llu, \"out_disordered\": %llu}\n", (unsigned long long)server.highest,
           (unsigned long long)lost, (unsigned long long)server.doubled, (unsigned long long)server.disordered);
    return 0;
}
