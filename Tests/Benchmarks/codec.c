/*
 * Measures what looking at every byte of a message costs: GB/s of CPU time at 64 B, 1 KiB and 1 MiB, the same bytes over and over.
 *
 * Usage: codec memcpy|mask|ascii|two-byte|three-byte|four-byte
 *
 * The last four validate UTF-8: English, Russian with its spaces, Chinese, emoji.
 */
#define _POSIX_C_SOURCE 200809L

#include "clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_MEASURED = 1 << 20, BYTES_MEASURED = 1 << 28 };

/* In codec.swift. */
bool validate_utf8(const void *bytes, ptrdiff_t count);
void mask(const void *source, void *destination, ptrdiff_t count);

static bool run_memcpy(const void *source, void *destination, size_t size)
{
    memcpy(destination, source, size);
    return true;
}

static bool run_mask(const void *source, void *destination, size_t size)
{
    mask(source, destination, (ptrdiff_t)size);
    return true;
}

static bool run_validation(const void *source, void *destination, size_t size)
{
    (void)destination;
    return validate_utf8(source, (ptrdiff_t)size);
}

struct work {
    const char *name;
    bool (*run)(const void *source, void *destination, size_t size);
    const char *text;
};

static const struct work works[] = {
    {"memcpy", run_memcpy, "any"},
    {"mask", run_mask, "any"},
    {"ascii", run_validation, "The quick brown fox jumps over the lazy dog. "},
    {"two-byte", run_validation, "Съешь же ещё этих мягких французских булок. "},
    {"three-byte", run_validation, "天地玄黄宇宙洪荒日月盈昃辰宿列张"},
    {"four-byte", run_validation, "😀😃😄😁😆😅😂🤣"},
};

/* Fills with the text over and over; ASCII takes the place of a code point that the end would cut. */
static void fill(char *bytes, size_t size, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < size; i++)
        bytes[i] = text[i % length];
    if ((text[size % length] & 0xC0) != 0x80)
        return;
    for (size_t end = size; end > 0; end--) {
        bool is_lead = (bytes[end - 1] & 0xC0) == 0xC0;
        bytes[end - 1] = 'x';
        if (is_lead)
            return;
    }
}

static double gigabytes_per_s(const struct work *work, size_t size)
{
    static char source[SIZE_MAX_MEASURED], destination[SIZE_MAX_MEASURED];
    /* Out of the compiler's sight, or it could leave out what nobody reads. */
    bool (*volatile run)(const void *, void *, size_t) = work->run;
    size_t rounds = BYTES_MEASURED / size;
    fill(source, size, work->text);
    memset(destination, 1, sizeof destination);
    uint64_t start = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < rounds; i++)
        if (!run(source, destination, size))
            exit(1);
    return (double)(rounds * size) / (double)(read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof works / sizeof *works; i++) {
        if (strcmp(argv[1], works[i].name) != 0)
            continue;
        printf("{\"small\": %.3f, \"medium\": %.3f, \"large\": %.3f}\n", gigabytes_per_s(&works[i], 64), gigabytes_per_s(&works[i], 1024),
               gigabytes_per_s(&works[i], SIZE_MAX_MEASURED));
        return 0;
    }
    return 2;
}
