/* Clients that are rotated, and the steps that they go through. */
#include "rotation.h"

#include <string.h>

client *rotating(void)
{
    client *new = client_new();
    new->overlaps = 1;
    return new;
}

client *rotating_first(group *group)
{
    client *new = rotating();
    client_connect(new, group_url(group, "raw", ""));
    return new;
}

void add_step(client *client, const char *json)
{
    hw_error error = NEW_ERROR;
    if (hw_config_add_step(client->config, json, strlen(json), &error) != HW_OK) FAIL("%s: %s", json, error.message);
}

void rotate(client *client)
{
    CHECK_STATUS(hw_connection_rotate(client->connection), HW_OK);
}

const record *rotation(client *client, size_t number, hw_rotation step, uint64_t epoch)
{
    const record *found = client_event(client, HW_EVENT_ROTATION, number);
    CHECK_EQUAL(found->event.level, step);
    CHECK_EQUAL(found->event.epoch, epoch);
    return found;
}

void whole_rotation(client *client, size_t number, uint64_t epoch)
{
    rotation(client, number, HW_ROTATION_STARTED, epoch);
    rotation(client, number + 1, HW_ROTATION_SWITCHED, epoch + 1);
    rotation(client, number + 2, HW_ROTATION_FINISHED, epoch);
}

void connected_throughout(client *client)
{
    CHECK_EQUAL(client_event_count(client, HW_EVENT_STATE), 2);
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_GAP), 0);
}

client *scripted_first(group *group, client *new)
{
    add_step(new, "{\"expect\": {\"prefix\": \"go\"}, \"fail\": {\"prefix\": \"no\"}, \"timeout\": \"1h\"}");
    client_open(new, group_url(group, "raw", ""));
    client_event(new, HW_EVENT_OPENED, 0);
    group_ask(group, "text 1 go");
    client_state(new, HW_STATE_CONNECTED, 0);
    return new;
}
