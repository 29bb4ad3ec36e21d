/* Connections of one client, and the server's side of them: Tests/Servers/group.py. */
#ifndef GROUP_H
#define GROUP_H

#include "client.h"

typedef struct {
    const char *key;
    client *control;
    size_t answers;
} group;

/* A group of this key, which no other test may use. */
group group_new(const char *key);

/* The URL of its members on this server, with more of a query ("&count=") or "". */
const char *group_url(group *group, const char *server, const char *query);

/* A client with that URL's properties left as they are, connected: the first member. */
client *group_first(group *group);

/* Gives a command and returns the answer. */
const char *group_ask(group *group, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits until what the members sent is exactly these lines, "MEMBER TEXT\n...", in the order of arrival. */
void group_await_seen(group *group, const char *lines);

/* Waits until the members sent so many close frames, and gives the lines "MEMBER CODE". */
const char *group_closes(group *group, size_t count);

void group_free(group *group);

#endif
