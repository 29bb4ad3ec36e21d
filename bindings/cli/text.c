/* Text for people and for programs. */
#define _POSIX_C_SOURCE 200809L

#include "text.h"

#include <stdint.h>
#include <string.h>

/* The size of the UTF-8 sequence at data, 0 if it is none. */
static size_t sequence_size(const uint8_t *data, size_t size)
{
    uint8_t first = data[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((data[i] & 0xC0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    bool wrong = (first == 0xE0 && data[1] < 0xA0) || (first == 0xED && data[1] > 0x9F) || (first == 0xF0 && data[1] < 0x90) ||
                 (first == 0xF4 && data[1] > 0x8F);
    return wrong ? 0 : length;
}

bool is_utf8(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        size_t length = sequence_size(bytes, size);
        if (length == 0)
            return false;
        bytes += length;
        size -= length;
    }
    return true;
}

/* The size of the control character at data, 0 if there is none. U+0080 to U+009F are C2 80 to C2 9F. */
static size_t control_size(const uint8_t *data, size_t size)
{
    if (data[0] < 0x20 || data[0] == 0x7F)
        return 1;
    return size > 1 && data[0] == 0xC2 && data[1] < 0xA0 ? 2 : 0;
}

/* Writes the bytes up to where the run of harmless ones ends. */
static void write_run(FILE *file, const uint8_t *data, const uint8_t *end)
{
    fwrite(data, 1, (size_t)(end - data), file);
}

void write_json_string(FILE *file, const void *data, size_t size)
{
    const uint8_t *next = data, *end = next + size, *run = next;
    putc_unlocked('"', file);
    while (next < end) {
        size_t control = control_size(next, (size_t)(end - next));
        if (control == 0 && *next != '"' && *next != '\\') {
            next++;
            continue;
        }
        write_run(file, run, next);
        if (control == 0)
            fprintf(file, "\\%c", *next);
        else if (*next == '\n')
            fputs("\\n", file);
        else
            fprintf(file, "\\u%04x", control == 2 ? next[1] : next[0]);
        next += control == 0 ? 1 : control;
        run = next;
    }
    write_run(file, run, next);
    putc_unlocked('"', file);
}

void write_base64(FILE *file, const void *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i += 3) {
        size_t count = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (count > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (count > 2)
            group |= bytes[i + 2];
        putc_unlocked(digits[group >> 18], file);
        putc_unlocked(digits[group >> 12 & 63], file);
        putc_unlocked(count > 1 ? digits[group >> 6 & 63] : '=', file);
        putc_unlocked(count > 2 ? digits[group & 63] : '=', file);
    }
}

void write_visible(FILE *file, const void *data, size_t size)
{
    const uint8_t *next = data, *end = next + size, *run = next;
    while (next < end) {
        size_t left = (size_t)(end - next), sequence = sequence_size(next, left);
        size_t control = *next == '\t' || *next == '\n' ? 0 : control_size(next, left);
        if (sequence > 0 && control == 0) {
            next += sequence;
            continue;
        }
        write_run(file, run, next);
        fprintf(file, "\\x%02x", control == 2 ? next[1] : next[0]);
        next += sequence > 0 ? control : 1;
        run = next;
    }
    write_run(file, run, next);
}

void print_wrapped(const char *text, size_t column, size_t indent)
{
    size_t at = column;
    bool begins = true;
    while (*text != '\0') {
        if (*text == '\n' || *text == ' ') {
            if (*text++ == '\n') {
                printf("\n%*s", (int)indent, "");
                at = indent;
                begins = true;
            }
            continue;
        }
        size_t word = strcspn(text, " \n");
        if (!begins && at + 1 + word >= SCREEN_COLUMNS) {
            printf("\n%*s", (int)indent, "");
            at = indent;
            begins = true;
        }
        at += (size_t)printf("%s%.*s", begins ? "" : " ", (int)word, text);
        text += word;
        begins = false;
    }
    putchar('\n');
}

/* How many letters must be put in, left out or replaced to make one word of the other (Levenshtein); words of at most 63 letters. */
static size_t distance(const char *one, const char *other)
{
    size_t row[64], width = strlen(other), height = strlen(one);
    if (width >= 64 || height >= 64)
        return SIZE_MAX;
    for (size_t x = 0; x <= width; x++)
        row[x] = x;
    for (size_t y = 1; y <= height; y++) {
        size_t diagonal = row[0];
        row[0] = y;
        for (size_t x = 1; x <= width; x++) {
            size_t best = diagonal + (one[y - 1] != other[x - 1]);
            diagonal = row[x];
            if (row[x] + 1 < best)
                best = row[x] + 1;
            if (row[x - 1] + 1 < best)
                best = row[x - 1] + 1;
            row[x] = best;
        }
    }
    return row[width];
}

const char *nearest_name(const char *name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(name, names[i]);
        if (far < least) {
            least = far;
            nearest = names[i];
        }
    }
    return nearest;
}
