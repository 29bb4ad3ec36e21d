/*
 * Measures how fast a server passes texts on to all of its clients.
 *
 * Usage: crowd_broadcast PID PORT CLIENTS BROADCASTS WINDOW plain|deflate
 *
 * One more client asks for each broadcast with a text message that the server is to send to all; WINDOW of them are under way at a time.
 */
#define _GNU_SOURCE

#include "crowd.h"

/* 128 bytes. */
static const char text[] = "{\"channel\":\"ticker\",\"symbol\":\"BTC-USDT\",\"bid\":\"64215.10\",\"ask\":\"64215.20\","
                           "\"last\":\"64215.10\",\"ts\":1700000000123,\"n\":420000000000}";
static uint64_t delivered;

static void on_frame(struct client *client, int opcode, const unsigned char *payload, size_t size)
{
    if (opcode == OPCODE_PING)
        send_frame(client, OPCODE_PONG, payload, size);
    delivered += opcode == OPCODE_TEXT;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    size_t count = strtoul(argv[3], NULL, 10);
    uint64_t wanted = strtoull(argv[4], NULL, 10) * (count + 1), window = strtoull(argv[5], NULL, 10), warm_up = count + 1;
    if (strcmp(argv[6], "deflate") == 0)
        crowd.extensions = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
    prepare_crowd(argv[1], argv[2], count + 1);
    crowd.on_frame = on_frame;
    connect_until(count + 1);

    struct client *asking = &crowd.clients[count];
    uint64_t began_ns = 0, cpu_before_ns = 0, asked = 0;
    /* The first broadcast is not counted. */
    wanted += warm_up;
    while (delivered < wanted) {
        if (began_ns == 0 && delivered == warm_up) {
            began_ns = now_ns();
            cpu_before_ns = server_cpu_ns();
        }
        uint64_t allowed = began_ns == 0 ? 1 : delivered / (count + 1) + window;
        for (; asked < allowed && asked < wanted / (count + 1); asked++)
            send_frame(asking, OPCODE_TEXT, text, sizeof text - 1);
        turn(-1);
    }
    double wall_ns = (double)(now_ns() - began_ns), cpu_ns = (double)(server_cpu_ns() - cpu_before_ns);
    double deliveries = (double)(wanted - warm_up);
    printf("{\"deliveries_per_s\": %.0f, \"cpu_ns\": %.0f}\n", deliveries / wall_ns * 1e9, cpu_ns / deliveries);
    return 0;
}
