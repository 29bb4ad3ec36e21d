#ifndef HEARTWIRE_ZSTREAM_H
#define HEARTWIRE_ZSTREAM_H

#include <stdint.h>

/*
 * zlib's z_stream, as it stands in every release of zlib 1.x. Its header is not needed to build, and zlib itself is loaded at run time.
 */
typedef struct hws_z_stream {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *message;
    void *state;
    void *allocate;
    void *free;
    void *opaque;
    int data_type;
    unsigned long checksum;
    unsigned long reserved;
} hws_z_stream;

#endif
