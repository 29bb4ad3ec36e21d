/* Records of named members, one a line: JSON objects, or words for people. */
#ifndef HEARTWIRE_RECORD_H
#define HEARTWIRE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A record being written. */
struct record {
    FILE *file;
    bool json;
    bool begun; /* a member was written */
};

/*
 * Begins a record: a JSON object with its type and kind, as in {"type":"event","event":"opened", or "* opened"; without kind_member with
 * its type alone.
 */
struct record record_begin(FILE *file, bool json, const char *type, const char *kind_member, const char *kind);
void record_number(struct record *record, const char *name, uint64_t value);
void record_signed(struct record *record, const char *name, int64_t value);
void record_boolean(struct record *record, const char *name, bool value);
void record_word(struct record *record, const char *name, const char *value);

/* A time on CLOCK_MONOTONIC, written as date and time of day in UTC (RFC 3339). */
void record_time(struct record *record, const char *name, uint64_t monotonic_ns);

/* UTF-8 as a string; anything else in base64, which a further member, its name with _encoding at its end, says. */
void record_text(struct record *record, const char *name, const void *data, size_t size);
void record_binary(struct record *record, const char *name, const void *data, size_t size);

void record_end(struct record *record);

#endif
