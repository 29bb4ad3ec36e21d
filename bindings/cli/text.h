/* Text for people and for programs: JSON strings, base64, columns, and what is safe on a terminal. */
#ifndef HEARTWIRE_TEXT_H
#define HEARTWIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SCREEN_COLUMNS = 80 };

/* Whether the bytes are UTF-8 (RFC 3629). */
bool is_utf8(const void *data, size_t size);

/* Writes bytes that are UTF-8 as a JSON string, quotes included; no control character is left in it. */
void write_json_string(FILE *file, const void *data, size_t size);

/* Writes bytes in base64 (RFC 4648). */
void write_base64(FILE *file, const void *data, size_t size);

/*
 * Writes text of which control characters, other than tabs and line ends, and bytes that are no UTF-8 are shown as \x1b, so that they
 * cannot command a terminal.
 */
void write_visible(FILE *file, const void *data, size_t size);

/*
 * Prints text, broken between words, into the columns from indent to the screen's last but one; the first line begins at column, where the
 * cursor is. Line ends in the text stay.
 */
void print_wrapped(const char *text, size_t column, size_t indent);

/* The one of count names that is most like name; NULL if none is. */
const char *nearest_name(const char *name, const char *const *names, size_t count);

#endif
