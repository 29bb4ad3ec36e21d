/* What tests of rotation share. */
#ifndef ROTATION_H
#define ROTATION_H

#include "group.h"

/* A client whose connections may overlap, not yet opened. */
client *rotating(void);

/* The same, connected as the first member of the group. */
client *rotating_first(group *group);

/* Adds to a new client the step of waiting for "go" and failing at "no", and connects it as the first member, which is told to go. */
client *scripted_first(group *group, client *new);

void add_step(client *client, const char *json);

void rotate(client *client);

/* Waits for the rotation event of that number, which must be this step, and of this connection. */
const record *rotation(client *client, size_t number, hw_rotation step, uint64_t epoch);

/* The whole of a rotation from the connection `epoch` to the next; `number` of its first event. */
void whole_rotation(client *client, size_t number, uint64_t epoch);

/* Checks that it has connected once and not been without a connection since. */
void connected_throughout(client *client);

#endif
