/* Standard input, cut into lines. */
#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

enum { READ_BYTES = 65536 };

/* Makes room for one read behind what is there. */
static bool make_room(struct input *input)
{
    if (input->begin > 0) {
        memmove(input->bytes, input->bytes + input->begin, input->end - input->begin);
        input->end -= input->begin;
        input->begin = 0;
    }
    if (input->capacity - input->end >= READ_BYTES)
        return true;
    size_t capacity = input->capacity == 0 ? 2 * READ_BYTES : 2 * input->capacity;
    char *bytes = realloc(input->bytes, capacity);
    if (bytes == NULL)
        return false;
    input->bytes = bytes;
    input->capacity = capacity;
    return true;
}

bool input_read(struct input *input, int descriptor)
{
    if (!make_room(input))
        return false;
    ssize_t size = read(descriptor, input->bytes + input->end, READ_BYTES);
    if (size > 0)
        input->end += (size_t)size;
    else if (size == 0 || (errno != EINTR && errno != EAGAIN))
        input->ended = true;
    return true;
}

/* Where the first line ends; NULL if its end was not read yet. What had been searched before is not searched again. */
static const char *find_end(struct input *input)
{
    size_t waiting = input->end - input->begin;
    if (waiting == input->searched)
        return NULL;
    const char *from = input->bytes + input->begin;
    const char *end = memchr(from + input->searched, '\n', waiting - input->searched);
    if (end == NULL)
        input->searched = waiting;
    return end;
}

enum input_result input_next(struct input *input, const char **line, size_t *size)
{
    size_t waiting = input->end - input->begin;
    const char *end = find_end(input);
    bool whole = end != NULL || (input->ended && (waiting > 0 || input->passing_over));
    size_t length = end != NULL ? (size_t)(end - (input->bytes + input->begin)) : waiting;
    if (whole && (input->passing_over || length > input->line_bytes_max)) {
        input_take(input);
        input->passing_over = false;
        return INPUT_TOO_LONG;
    }
    if (whole) {
        *line = input->bytes + input->begin;
        *size = length;
        return INPUT_LINE;
    }
    if (input->passing_over || length > input->line_bytes_max) {
        input->passing_over = true;
        input->begin = input->end = input->searched = 0;
    }
    return INPUT_MORE;
}

void input_take(struct input *input)
{
    const char *end = find_end(input);
    input->begin = end != NULL ? (size_t)(end - input->bytes) + 1 : input->end;
    input->searched = 0;
    input->line++;
}

static const char *reason(hw_status status)
{
    switch (status) {
    case HW_E_UTF8:
        return "it is no UTF-8 text";
    case HW_E_TOO_LARGE:
        return "it is larger than queue.bytes_max; --set queue.bytes_max=SIZE allows more";
    case HW_E_SEND_FORBIDDEN:
        return "by its heartbeat rules this service closes on anything that is sent to it";
    default:
        return hw_status_name(status);
    }
}

void input_complain(const struct input *input, hw_status status)
{
    complain("line %" PRIu64 " was not sent: %s", input->line, reason(status));
}

void input_free(struct input *input)
{
    free(input->bytes);
}
