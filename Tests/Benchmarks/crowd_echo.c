/*
 * Measures round trips of binary messages of 64 bytes.
 *
 * Usage: crowd_echo PID PORT CLIENTS TRIPS DEPTH   Every client has DEPTH messages under way; TRIPS are made by all together.
 */
#define _GNU_SOURCE

#include "crowd.h"

enum { MESSAGE_SIZE = 64 };

static uint64_t begun, done, wanted, *trips_ns;

/* A message carries the time at which it was sent. */
static void send_message(struct client *client)
{
    unsigned char message[MESSAGE_SIZE] = {0};
    uint64_t now = now_ns();
    memcpy(message, &now, sizeof now);
    begun++;
    send_frame(client, OPCODE_BINARY, message, sizeof message);
}

static void on_frame(struct client *client, int opcode, const unsigned char *payload, size_t size)
{
    uint64_t sent;
    if (opcode == OPCODE_PING)
        send_frame(client, OPCODE_PONG, payload, size);
    if (opcode != OPCODE_BINARY || size != MESSAGE_SIZE)
        return;
    memcpy(&sent, payload, sizeof sent);
    trips_ns[done++] = now_ns() - sent;
    if (begun < wanted)
        send_message(client);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    size_t count = strtoul(argv[3], NULL, 10), depth = strtoul(argv[5], NULL, 10);
    wanted = strtoull(argv[4], NULL, 10);
    trips_ns = calloc(wanted, sizeof *trips_ns);
    prepare_crowd(argv[1], argv[2], count);
    crowd.on_frame = on_frame;
    connect_until(count);
    uint64_t began_ns = now_ns(), cpu_before_ns = server_cpu_ns();
    for (size_t i = 0; i < count * depth; i++)
        send_message(&crowd.clients[i % count]);
    while (done < wanted)
        turn(-1);
    double wall_ns = (double)(now_ns() - began_ns), cpu_ns = (double)(server_cpu_ns() - cpu_before_ns);
    qsort(trips_ns, wanted, sizeof *trips_ns, compare);
    printf("{\"trips_per_s\": %.0f, \"cpu_us\": %.2f, \"median_us\": %.1f, \"p99_us\": %.1f}\n", (double)wanted / wall_ns * 1e9,
           cpu_ns / 1e3 / (double)wanted, (double)trips_ns[wanted / 2] / 1e3, (double)trips_ns[wanted * 99 / 100] / 1e3);
    return 0;
}
