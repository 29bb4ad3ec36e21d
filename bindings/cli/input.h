/* Standard input, cut into lines. */
#ifndef HEARTWIRE_INPUT_H
#define HEARTWIRE_INPUT_H

#include <heartwire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was read and not yet taken. Set line_bytes_max, and everything else to 0. */
struct input {
    size_t line_bytes_max; /* a longer line is passed over, never held */
    char *bytes;
    size_t capacity;
    size_t begin, end;  /* what is not taken yet */
    size_t searched;    /* how much of it has no line end */
    bool ended;         /* there is no more to read */
    bool passing_over;  /* the rest of a line that is too long */
    uint64_t line;      /* the number of the last line taken, counted from 1 */
};

/* What input_next found. */
enum input_result {
    INPUT_LINE,     /* a line, without its end */
    INPUT_TOO_LONG, /* a line of more than line_bytes_max bytes, passed over */
    INPUT_MORE      /* nothing whole is left: read on, if the input has not ended */
};

/* Reads once, which blocks if nothing waits to be read. False: there is no memory. */
bool input_read(struct input *input, int descriptor);

/* Shows the next line, and leaves it there until input_take; borrowed until the next input_read. */
enum input_result input_next(struct input *input, const char **line, size_t *size);

/* Takes the line that input_next has shown. */
void input_take(struct input *input);

/* Complains that the line last taken was not sent, and why: the status of sending it, HW_E_TOO_LARGE for one that was passed over. */
void input_complain(const struct input *input, hw_status status);

void input_free(struct input *input);

#endif
