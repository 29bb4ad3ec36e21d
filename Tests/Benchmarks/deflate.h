/* Compressing messages as permessage-deflate does (RFC 7692 section 7.2.1), by zlib alone, with zlib's own defaults. */
#ifndef DEFLATE_H
#define DEFLATE_H

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

/* The empty stored block that ends every flush; it is not sent. */
enum { DEFLATE_TAIL_SIZE = 4 };

static inline void start_deflate(z_stream *stream)
{
    *stream = (z_stream){0};
    if (deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(1);
}

/* Room for a message of this size and its tail, whatever it holds. */
static inline size_t deflated_size_max(size_t size)
{
    return size + size / 8 + 64;
}

/* Writes the compressed message with its tail to `at` and returns its size without the tail. */
static inline size_t deflate_message(z_stream *stream, const char *text, size_t size, int takeover, unsigned char *at)
{
    size_t room = deflated_size_max(size);
    stream->next_in = (unsigned char *)(uintptr_t)text;
    stream->avail_in = (unsigned)size;
    stream->next_out = at;
    stream->avail_out = (unsigned)room;
    if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_out == 0)
        exit(1);
    size_t written = room - stream->avail_out - DEFLATE_TAIL_SIZE;
    if (!takeover)
        deflateReset(stream);
    return written;
}

#endif
