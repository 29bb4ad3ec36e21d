/*
 * Measures what clients cost a server that they only answer pings of: its memory, its CPU time, and how punctual its pings are.
 *
 * Usage: crowd_idle PID PORT CLIENTS SECONDS PING_SECONDS   The server pings each client each PING_SECONDS.
 */
#define _GNU_SOURCE

#include "crowd.h"

static struct {
    uint64_t pings, interval_ns, deviation_ns_max, ended;
} measured;

static void on_frame(struct client *client, int opcode, const unsigned char *payload, size_t size)
{
    if (opcode != OPCODE_PING)
        return;
    uint64_t now = now_ns();
    if (client->count++ > 0) {
        uint64_t gap = now - client->since_ns;
        uint64_t deviation = gap > measured.interval_ns ? gap - measured.interval_ns : measured.interval_ns - gap;
        measured.deviation_ns_max = deviation > measured.deviation_ns_max ? deviation : measured.deviation_ns_max;
    }
    client->since_ns = now;
    measured.pings++;
    send_frame(client, OPCODE_PONG, payload, size);
}

static void on_end(struct client *client)
{
    close(client->fd);
    measured.ended++;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    size_t count = strtoul(argv[3], NULL, 10);
    uint64_t period_ns = strtoull(argv[4], NULL, 10) * 1000000000u;
    measured.interval_ns = strtoull(argv[5], NULL, 10) * 1000000000u;
    prepare_crowd(argv[1], argv[2], count);
    crowd.on_frame = on_frame;
    crowd.on_end = on_end;
    /* The first client brings what all share. */
    connect_until(1);
    long resident_before = server_resident_bytes();
    connect_until(count);

    uint64_t began_ns = now_ns(), cpu_before_ns = server_cpu_ns(), pings_before = measured.pings;
    while (now_ns() - began_ns < period_ns)
        turn(100);
    double cpu_ns = (double)(server_cpu_ns() - cpu_before_ns), wall_ns = (double)(now_ns() - began_ns);
    double pings = (double)(measured.pings - pings_before);
    uint64_t fewest = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        fewest = crowd.clients[i].count < fewest ? crowd.clients[i].count : fewest;
    printf("{\"clients\": %zu, \"kib_per_client\": %.2f, \"cpu_percent\": %.2f, \"cpu_us_per_ping\": %.1f, \"pings_min\": %llu, "
           "\"deviation_ms\": %.1f, \"ended\": %llu}\n",
           count, (double)(server_resident_bytes() - resident_before) / 1024 / (double)(count - 1), cpu_ns / wall_ns * 100,
           cpu_ns / 1e3 / pings, (unsigned long long)fewest, (double)measured.deviation_ns_max / 1e6,
           (unsigned long long)measured.ended);
    return 0;
}
