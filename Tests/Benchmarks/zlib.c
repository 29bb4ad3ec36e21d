/*
 * Measures what permessage-deflate costs in zlib alone, without any WebSocket: CPU time a message.
 *
 * Usage: zlib in|out 0|1 TEXTS SIZE MESSAGES
 *
 * Inflates (in) or deflates (out) texts of a file of texts of SIZE bytes, without or with context takeover.
 */
#define _POSIX_C_SOURCE 200809L

#include "clock.h"
#include "deflate.h"
#include "texts.h"
#include <string.h>

/* One compressed message with its tail. */
struct message {
    unsigned char *bytes;
    size_t size;
};

static void inflate_message(z_stream *stream, const struct message *message, int takeover, unsigned char *text, size_t size)
{
    stream->next_in = message->bytes;
    stream->avail_in = (unsigned)(message->size + DEFLATE_TAIL_SIZE);
    stream->next_out = text;
    stream->avail_out = (unsigned)size + 1;
    if (inflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in != 0 || stream->avail_out != 1)
        exit(1);
    if (!takeover)
        inflateReset(stream);
}

static void deflate_all(const struct texts *texts, struct message *messages, size_t count, int takeover)
{
    z_stream stream;
    start_deflate(&stream);
    for (size_t i = 0; i < count; i++)
        messages[i].size = deflate_message(&stream, text_at(texts, i), texts->size, takeover, messages[i].bytes);
    deflateEnd(&stream);
}

static void inflate_all(const struct message *messages, size_t count, int takeover, unsigned char *text, size_t size)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        exit(1);
    for (size_t i = 0; i < count; i++)
        inflate_message(&stream, &messages[i], takeover, text, size);
    inflateEnd(&stream);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    int takeover = strcmp(argv[2], "1") == 0;
    struct texts texts = load_texts(argv[3], strtoul(argv[4], NULL, 10));
    size_t count = strtoul(argv[5], NULL, 10), room = deflated_size_max(texts.size), sum = 0;
    struct message *messages = malloc(count * sizeof *messages);
    unsigned char *block = malloc(count * room), *text = malloc(texts.size + 1);
    for (size_t i = 0; i < count; i++)
        messages[i].bytes = block + i * room;

    uint64_t start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    deflate_all(&texts, messages, count, takeover);
    if (strcmp(argv[1], "in") == 0) {
        start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        inflate_all(messages, count, takeover, text, texts.size);
    }
    double cpu_ns = (double)(read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start);
    for (size_t i = 0; i < count; i++)
        sum += messages[i].size;
    printf("{\"cpu_ns\": %.1f, \"payload_bytes\": %.1f}\n", cpu_ns / (double)count, (double)sum / (double)count);
    free(text);
    free(block);
    free(messages);
    return 0;
}
