/* What has brought down other clients, and has no better place among the tests. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Address space and resident memory of this process, in bytes. */
static void read_memory(long *space, long *resident)
{
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    CHECK_EQUAL(fscanf(file, "%ld %ld", space, resident), 2);
    fclose(file);
    *space *= sysconf(_SC_PAGESIZE);
    *resident *= sysconf(_SC_PAGESIZE);
}

/* A message in parts without number: one growing buffer holds it, and an empty part adds nothing. */
TEST(a_million_empty_fragments_take_no_memory)
{
    client *client = client_connected(server_url("ws", "/echo"));
    client_free(client);
    long space, before, after;
    read_memory(&space, &before);
    client = client_connected(server_url("raw", "/empty-fragments?n=1000000"));
    CHECK_EQUAL(client_message(client, 0)->message.size, 0);
    read_memory(&space, &after);
    CHECK(after - before < 8 << 20);
    client_free(client);
}

/* Memory is for bytes that have come, not for those that were promised. */
TEST(an_announced_length_reserves_nothing)
{
    client *client = client_connected(server_url("ws", "/echo"));
    client_free(client);
    long before, after, resident;
    read_memory(&before, &resident);
    client = client_new();
    client_set(client, "message.bytes_max", "1GiB");
    client_open(client, server_url("raw", "/announce?size=%d", 1 << 30));
    AWAIT(client_metrics(client).bytes_received == 20);
    read_memory(&after, &resident);
    CHECK(after - before < 512 << 20);
    client_free(client);
}

/* RFC 6455 section 5.5.1. */
TEST(nothing_is_delivered_after_a_close_frame)
{
    client *client = client_new();
    client_set(client, "reconnect.enabled", "false");
    client_open(client, server_url("raw", "/close-then-message"));
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_TEXT(client_message(client, 0)->text, "before");
    CHECK_EQUAL(client_message_count(client), 1);
    client_free(client);
}
