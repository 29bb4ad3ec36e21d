/*
 * Measures the least that a client can do with raw sockets, to hold the others against: of each message it receives, one copy into a place
 * of its own; of each it sends, nothing but to hand over a frame that was built before. It looks at no byte.
 *
 * Usage: raw PORT PATH in|out SIZE MESSAGES
 *
 * SIZE is more than 65535, so that every header has its longest form.
 */
#define _POSIX_C_SOURCE 200809L

#include "clock.h"
#include "raw.h"

enum { SERVER_HEADER_SIZE = 10, CLIENT_HEADER_SIZE = 14 };

static void receive_messages(int fd, size_t size, size_t wanted)
{
    /* Out of the compiler's sight, or it could leave out what nobody reads. */
    void *(*volatile copy)(void *, const void *, size_t) = memcpy;
    size_t frame_size = SERVER_HEADER_SIZE + size;
    unsigned char *frame = malloc(frame_size), *message = malloc(size);
    for (size_t messages = 0; messages < wanted; messages++) {
        require(recv(fd, frame, frame_size, MSG_WAITALL) == (ssize_t)frame_size, "recv");
        copy(message, frame + SERVER_HEADER_SIZE, size);
    }
    free(message);
    free(frame);
}

static void send_messages(int fd, size_t size, size_t wanted)
{
    size_t frame_size = CLIENT_HEADER_SIZE + size;
    unsigned char *frame = malloc(frame_size);
    /* A final text frame, masked with a key of zeros. */
    memset(frame, 0, CLIENT_HEADER_SIZE);
    memset(frame + CLIENT_HEADER_SIZE, 'x', size);
    frame[0] = 0x81;
    frame[1] = 0xFF;
    for (size_t i = 0; i < 8; i++)
        frame[2 + i] = (unsigned char)((uint64_t)size >> 8 * (7 - i));
    for (size_t messages = 0; messages < wanted; messages++)
        for (size_t done = 0; done < frame_size;) {
            ssize_t count = send(fd, frame + done, frame_size - done, 0);
            require(count > 0, "send");
            done += (size_t)count;
        }
    require(recv(fd, frame, frame_size, 0) > 0, "report");
    free(frame);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    size_t size = strtoul(argv[4], NULL, 10), wanted = strtoul(argv[5], NULL, 10);
    int fd = open_socket(argv[1], argv[2]);
    uint64_t cpu_start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID), start = read_clock_ns(CLOCK_MONOTONIC);
    (strcmp(argv[3], "in") == 0 ? receive_messages : send_messages)(fd, size, wanted);
    double cpu_ns = (double)(read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
    double wall_ns = (double)(read_clock_ns(CLOCK_MONOTONIC) - start), messages = (double)wanted;
    printf("{\"cpu_ns\": %.1f, \"messages_per_s\": %.1f}\n", cpu_ns / messages, messages / wall_ns * 1e9);
    close(fd);
    return 0;
}
