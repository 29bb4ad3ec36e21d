/*
 * Measures how many clients a server lets in and sees off: connect, opening handshake, closing handshake, end.
 *
 * Usage: crowd_handshakes PID PORT COUNT AT_A_TIME
 */
#define _GNU_SOURCE

#include "crowd.h"

static size_t begun, done, wanted;

static void say_goodbye(struct client *client)
{
    static const unsigned char normal_closure[] = {0x03, 0xE8};
    send_frame(client, OPCODE_CLOSE, normal_closure, sizeof normal_closure);
}

/* The server's close frame, after which it ends the connection (RFC 6455 section 7.1.1). */
static void on_frame(struct client *client, int opcode, const unsigned char *payload, size_t size)
{
    (void)payload, (void)size;
    client->count += opcode == OPCODE_CLOSE;
}

static void on_end(struct client *client)
{
    if (client->count == 0)
        fail("the server sent no close frame");
    client->count = 0;
    close(client->fd);
    done++;
    if (begun < wanted) {
        begun++;
        start_connecting(client);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    wanted = strtoul(argv[3], NULL, 10);
    size_t at_a_time = strtoul(argv[4], NULL, 10);
    prepare_crowd(argv[1], argv[2], at_a_time);
    crowd.on_open = say_goodbye;
    crowd.on_frame = on_frame;
    crowd.on_end = on_end;
    uint64_t began_ns = now_ns(), cpu_before_ns = server_cpu_ns();
    while (begun < at_a_time)
        start_connecting(&crowd.clients[begun++]);
    while (done < wanted)
        turn(-1);
    double wall_ns = (double)(now_ns() - began_ns), cpu_ns = (double)(server_cpu_ns() - cpu_before_ns);
    printf("{\"handshakes_per_s\": %.0f, \"cpu_us\": %.1f}\n", (double)wanted / wall_ns * 1e9, cpu_ns / 1e3 / (double)wanted);
    return 0;
}
