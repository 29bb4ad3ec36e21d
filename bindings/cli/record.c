/* Records of named members, one a line. */
#define _POSIX_C_SOURCE 200809L

#include "record.h"

#include <inttypes.h>
#include <time.h>

#include "text.h"

static void begin_member(struct record *record, const char *name)
{
    if (record->json)
        fprintf(record->file, "%s\"%s\":", record->begun ? "," : "", name);
    else
        fprintf(record->file, " %s=", name);
    record->begun = true;
}

struct record record_begin(FILE *file, bool json, const char *type, const char *kind_member, const char *kind)
{
    struct record record = {.file = file, .json = json};
    fputs(json ? "{" : "* ", file);
    if (json) {
        record_word(&record, "type", type);
        if (kind_member != NULL)
            record_word(&record, kind_member, kind);
    } else {
        fputs(kind_member != NULL ? kind : type, file);
    }
    return record;
}

void record_number(struct record *record, const char *name, uint64_t value)
{
    begin_member(record, name);
    fprintf(record->file, "%" PRIu64, value);
}

void record_signed(struct record *record, const char *name, int64_t value)
{
    begin_member(record, name);
    fprintf(record->file, "%" PRId64, value);
}

void record_boolean(struct record *record, const char *name, bool value)
{
    begin_member(record, name);
    fputs(value ? "true" : "false", record->file);
}

void record_word(struct record *record, const char *name, const char *value)
{
    begin_member(record, name);
    fprintf(record->file, record->json ? "\"%s\"" : "%s", value);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void record_time(struct record *record, const char *name, uint64_t monotonic_ns)
{
    /* Both clocks are read each time, since the time of day may be set at any moment. */
    int64_t wall_ns = now_ns(CLOCK_REALTIME) - (now_ns(CLOCK_MONOTONIC) - (int64_t)monotonic_ns);
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm parts;
    char text[32] = "";
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    begin_member(record, name);
    const char *quote = record->json ? "\"" : "";
    fprintf(record->file, "%s%s.%06dZ%s", quote, text, (int)(wall_ns % 1000000000 / 1000), quote);
}

void record_text(struct record *record, const char *name, const void *data, size_t size)
{
    if (!is_utf8(data, size)) {
        record_binary(record, name, data, size);
        return;
    }
    begin_member(record, name);
    write_json_string(record->file, data, size);
}

void record_binary(struct record *record, const char *name, const void *data, size_t size)
{
    begin_member(record, name);
    putc('"', record->file);
    write_base64(record->file, data, size);
    putc('"', record->file);
    if (record->json)
        fprintf(record->file, ",\"%s_encoding\":\"base64\"", name);
    else
        fprintf(record->file, " %s_encoding=base64", name);
}

void record_end(struct record *record)
{
    fputs(record->json ? "}\n" : "\n", record->file);
}
