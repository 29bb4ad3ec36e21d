/* Kept messages: sent at once and on every new connection, as the server sees them. */
#include "rotation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep(client *client, const char *key, const char *text)
{
    CHECK_STATUS(hw_connection_keep(client->connection, key, HW_TEXT, text, strlen(text)), HW_OK);
}

static void unkeep(client *client, const char *key)
{
    CHECK_STATUS(hw_connection_keep(client->connection, key, HW_TEXT, NULL, 0), HW_OK);
}

/* Takes a client's only connection away and leaves its requests unanswered, until the group is told to accept them. */
static void take_down(client *client, group *group, unsigned member)
{
    group_ask(group, "hold");
    group_ask(group, "drop %u", member);
    client_state(client, HW_STATE_RECONNECTING, member - 1);
}

TEST(what_is_kept_before_the_first_connection_is_sent_once_and_before_the_queue)
{
    group group = group_new("keep-early");
    group_ask(&group, "hold");
    client *client = client_new();
    client_open(client, group_url(&group, "raw", ""));
    client_send(client, "queued");
    keep(client, "a", "replaced");
    keep(client, "b", "kept b");
    keep(client, "gone", "removed");
    keep(client, "a", "kept a");
    unkeep(client, "gone");
    CHECK_EQUAL(client_metrics(client).kept_messages, 2);
    group_ask(&group, "accept");
    group_await_seen(&group, "1 kept a\n1 kept b\n1 queued");
    client_free(client);
    group_free(&group);
}

TEST(what_is_kept_is_sent_at_once_and_on_every_connection)
{
    group group = group_new("keep-again");
    client *client = group_first(&group);
    keep(client, "a", "a1");
    keep(client, "b", "b1");
    keep(client, "c", "c1");
    /* The place stays, what is sent does not. */
    keep(client, "b", "b2");
    unkeep(client, "a");
    group_await_seen(&group, "1 a1\n1 b1\n1 c1\n1 b2");
    group_ask(&group, "drop 1");
    client_state(client, HW_STATE_CONNECTED, 1);
    group_await_seen(&group, "1 a1\n1 b1\n1 c1\n1 b2\n2 b2\n2 c1");
    /* A key that was removed comes last when it is given again. */
    keep(client, "a", "a2");
    group_ask(&group, "drop 2");
    client_state(client, HW_STATE_CONNECTED, 2);
    group_await_seen(&group, "1 a1\n1 b1\n1 c1\n1 b2\n2 b2\n2 c1\n2 a2\n3 b2\n3 c1\n3 a2");
    CHECK_EQUAL(client_metrics(client).kept_messages, 3);
    client_free(client);
    group_free(&group);
}

TEST(what_changes_while_there_is_no_connection_counts_on_the_next)
{
    group group = group_new("keep-down");
    client *client = group_first(&group);
    keep(client, "a", "a1");
    keep(client, "b", "b1");
    keep(client, "c", "c1");
    group_await_seen(&group, "1 a1\n1 b1\n1 c1");
    take_down(client, &group, 1);
    client_send(client, "queued");
    unkeep(client, "a");
    keep(client, "b", "b2");
    keep(client, "d", "d1");
    unkeep(client, "never kept");
    CHECK_EQUAL(client_metrics(client).kept_messages, 3);
    group_ask(&group, "accept");
    group_await_seen(&group, "1 a1\n1 b1\n1 c1\n2 b2\n2 c1\n2 d1\n2 queued");
    take_down(client, &group, 2);
    unkeep(client, "b");
    unkeep(client, "c");
    unkeep(client, "d");
    CHECK_EQUAL(client_metrics(client).kept_messages, 0);
    client_send(client, "the end");
    group_ask(&group, "accept");
    group_await_seen(&group, "1 a1\n1 b1\n1 c1\n2 b2\n2 c1\n2 d1\n2 queued\n3 the end");
    client_free(client);
    group_free(&group);
}

TEST(what_is_kept_waits_for_the_opening_script)
{
    group group = group_new("keep-script");
    client *client = client_new();
    add_step(client, "{\"expect\": {\"eq\": \"go\"}}");
    client_open(client, group_url(&group, "raw", ""));
    client_event(client, HW_EVENT_OPENED, 0);
    keep(client, "a", "a1");
    keep(client, "a", "a2");
    keep(client, "b", "b1");
    CHECK_TEXT(group_ask(&group, "seen"), "seen");
    group_ask(&group, "text 1 go");
    group_await_seen(&group, "1 a2\n1 b1");
    client_free(client);
    group_free(&group);
}

/* They are sent again anyway, so nothing of them is in doubt; and they have no number. */
TEST(kept_messages_are_no_messages_of_the_queue)
{
    group group = group_new("keep-apart");
    client *client = client_new();
    client_set(client, "ping.interval", "0");
    client_connect(client, group_url(&group, "raw", ""));
    keep(client, "a", "kept");
    hw_outcome outcome;
    CHECK_STATUS(hw_connection_outcome(client->connection, 1, &outcome), HW_E_RANGE);
    uint64_t id = 0;
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "sent", 4, NULL, &id), HW_OK);
    CHECK_EQUAL(id, 1);
    group_await_seen(&group, "1 kept\n1 sent");
    group_ask(&group, "drop 1");
    CHECK_EQUAL(client_event(client, HW_EVENT_GAP, 0)->event.count, 1);
    client_free(client);
    group_free(&group);
}

TEST(many_keys_keep_their_order)
{
    enum { KEYS = 1000 };
    group group = group_new("keep-many");
    group_ask(&group, "hold");
    client *client = client_new();
    client_open(client, group_url(&group, "raw", ""));
    static char expected[KEYS * 16];
    char key[16], *end = expected;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < KEYS; i++) {
            snprintf(key, sizeof key, "%d", (i * 7919) % KEYS);
            keep(client, key, key);
        }
    for (int i = 0; i < KEYS; i++) {
        int number = (i * 7919) % KEYS;
        snprintf(key, sizeof key, "%d", number);
        if (number % 3 == 0) {
            unkeep(client, key);
        } else {
            end += sprintf(end, "%s1 %s", end == expected ? "" : "\n", key);
        }
    }
    group_ask(&group, "accept");
    group_await_seen(&group, expected);
    client_free(client);
    group_free(&group);
}

TEST(bytes_and_empty_messages_are_kept)
{
    client *client = client_new();
    client_set(client, "ping.interval", "0");
    client_open(client, server_url("raw", "/obey"));
    CHECK_STATUS(hw_connection_keep(client->connection, "bytes", HW_BINARY, "\0\xff", 2), HW_OK);
    CHECK_STATUS(hw_connection_keep(client->connection, "nothing", HW_TEXT, "", 0), HW_OK);
    CHECK_STATUS(hw_connection_keep(client->connection, "k\xc3\xa9y", HW_TEXT, "text", 4), HW_OK);
    client_state(client, HW_STATE_CONNECTED, 0);
    CHECK_TEXT(client_frames_seen(client), "2 00ff\n1 \n1 text");
    client_free(client);
}

TEST(kept_messages_share_limits_of_their_own)
{
    client *client = client_new();
    client_set(client, "queue.messages_max", "2");
    client_set(client, "queue.bytes_max", "10");
    client_open(client, server_url("refused", "/"));
    hw_connection *connection = client->connection;
    client_send(client, "12345");
    client_send(client, "67890");
    keep(client, "a", "123");
    keep(client, "b", "123456");
    CHECK_STATUS(hw_connection_keep(connection, "c", HW_TEXT, "1", 1), HW_E_FULL);
    CHECK_STATUS(hw_connection_keep(connection, "a", HW_TEXT, "12345", 5), HW_E_FULL);
    CHECK_STATUS(hw_connection_keep(connection, "a", HW_TEXT, "12345678901", 11), HW_E_TOO_LARGE);
    keep(client, "a", "1234");
    unkeep(client, "b");
    keep(client, "c", "123456");
    CHECK_EQUAL(client_metrics(client).kept_messages, 2);
    CHECK_EQUAL(client_metrics(client).queue_messages, 2);
    CHECK_EQUAL(client_metrics(client).queue_bytes, 10);
    client_free(client);
}

TEST(bad_arguments_are_refused)
{
    client *client = client_new();
    client_open(client, server_url("refused", "/"));
    hw_connection *connection = client->connection;
    char key[257];
    memset(key, 'k', sizeof key);
    key[256] = '\0';
    CHECK_STATUS(hw_connection_keep(connection, NULL, HW_TEXT, "x", 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, "", HW_TEXT, "x", 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, key, HW_TEXT, "x", 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, key + 1, HW_TEXT, "x", 1), HW_OK);
    CHECK_STATUS(hw_connection_keep(connection, "key", 0, "x", 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, "key", 3, "x", 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, "key", 257, "x", 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, "key", HW_TEXT, NULL, 1), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(connection, "\xff", HW_TEXT, "x", 1), HW_E_UTF8);
    CHECK_STATUS(hw_connection_keep(connection, "key", HW_TEXT, "\xff", 1), HW_E_UTF8);
    CHECK_STATUS(hw_connection_keep(connection, "key", HW_TEXT, "x", SIZE_MAX), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_keep(NULL, "key", HW_TEXT, "x", 1), HW_E_HANDLE);
    CHECK_EQUAL(client_metrics(client).kept_messages, 1);
    client_free(client);
}

TEST(a_connection_that_has_ended_keeps_nothing)
{
    client *client = client_connected(server_url("ws", "/echo"));
    keep(client, "a", "kept");
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(hw_connection_keep(client->connection, "b", HW_TEXT, "x", 1), HW_E_STATE);
    CHECK_STATUS(hw_connection_keep(client->connection, "a", HW_TEXT, NULL, 0), HW_E_STATE);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    CHECK_STATUS(hw_connection_keep(client->connection, "b", HW_TEXT, "x", 1), HW_E_STATE);
    client_free(client);

    client = client_new();
    client_set(client, "reconnect.attempts_max", "1");
    client_open(client, server_url("refused", "/"));
    client_state(client, HW_STATE_FAILED, 0);
    CHECK_STATUS(hw_connection_keep(client->connection, "b", HW_TEXT, "x", 1), HW_E_STATE);
    client_free(client);
}

TEST(rules_that_forbid_sending_forbid_keeping)
{
    client *client = client_new();
    client_set(client, "ping.interval", "0");
    client_rule(client, "{\"send\": \"forbidden\"}");
    client_open(client, server_url("refused", "/"));
    CHECK_STATUS(hw_connection_keep(client->connection, "a", HW_TEXT, "x", 1), HW_E_SEND_FORBIDDEN);
    client_free(client);
}
