/* The client's view of a group of connections. */
#include "group.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

group group_new(const char *key)
{
    return (group){.key = key, .control = client_connected(server_url("raw", "/control?key=%s", key))};
}

const char *group_url(group *group, const char *server, const char *query)
{
    return server_url(server, "/member?key=%s%s", group->key, query);
}

client *group_first(group *group)
{
    return client_connected(group_url(group, "raw", ""));
}

const char *group_ask(group *group, const char *format, ...)
{
    char command[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    client_send(group->control, command);
    return client_message(group->control, group->answers++)->text;
}

/* Without the first line, which names the command. */
static const char *lines_of(const char *answer)
{
    const char *end = strchr(answer, '\n');
    return end != NULL ? end + 1 : "";
}

void group_await_seen(group *group, const char *lines)
{
    const char *seen = "";
    for (test_patience patience = test_patience_start(); test_patience_left(&patience);) {
        seen = lines_of(group_ask(group, "seen"));
        if (strcmp(seen, lines) == 0) return;
    }
    FAIL("the server saw \"%s\", not \"%s\"", seen, lines);
}

const char *group_closes(group *group, size_t count)
{
    const char *closes = "";
    for (test_patience patience = test_patience_start(); test_patience_left(&patience);) {
        closes = lines_of(group_ask(group, "closes"));
        size_t lines = *closes != '\0';
        for (const char *c = closes; *c != '\0'; c++) lines += *c == '\n';
        if (lines >= count) return closes;
    }
    FAIL("the server saw the close frames \"%s\", fewer than %zu", closes, count);
}

void group_free(group *group)
{
    client_free(group->control);
}
