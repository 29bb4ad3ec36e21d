/* Messages in parts, received and sent, and what bounds frames and control frames. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hw_status send_part(client *client, const char *text, uint32_t flags, uint64_t *id)
{
    hw_send_options options = {.struct_size = sizeof options, .flags = flags, .message_id = *id};
    return hw_connection_send(client->connection, HW_TEXT, text, strlen(text), &options, id);
}

TEST(parts_leave_as_they_come)
{
    client *client = client_connected(server_url("raw", "/report-each-frame"));
    uint64_t id = 0;
    CHECK_STATUS(send_part(client, "one", HW_SEND_MORE, &id), HW_OK);
    CHECK_EQUAL(id, 1);
    CHECK_TEXT(client_message(client, 0)->text, "[1, false, 3]");
    CHECK_STATUS(send_part(client, "three", HW_SEND_MORE, &id), HW_OK);
    CHECK_TEXT(client_message(client, 1)->text, "[0, false, 5]");
    client_send(client, "follows");
    CHECK_STATUS(send_part(client, "", 0, &id), HW_OK);
    CHECK_EQUAL(id, 1);
    CHECK_TEXT(client_message(client, 2)->text, "[0, true, 0]");
    CHECK_TEXT(client_message(client, 3)->text, "[1, true, 7]");
    AWAIT(client_metrics(client).messages_sent == 2);
    client_free(client);
}

TEST(a_message_sent_in_parts_arrives_whole)
{
    static const char *const compression[] = {"off", "on"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        client_set(client, "compression", compression[i]);
        client_open(client, server_url("ws", "/echo"));
        uint64_t id = 0;
        CHECK_STATUS(send_part(client, "to be or not to be, ", HW_SEND_MORE, &id), HW_OK);
        CHECK_STATUS(send_part(client, "not to be or to be, ", HW_SEND_MORE, &id), HW_OK);
        CHECK_STATUS(send_part(client, "", 0, &id), HW_OK);
        CHECK_TEXT(client_message(client, 0)->text, "to be or not to be, not to be or to be, ");
        client_free(client);
    }
}

TEST(parts_are_checked)
{
    client *client = client_connected(server_url("ws", "/echo"));
    uint64_t id = 99;
    CHECK_STATUS(send_part(client, "of nothing", HW_SEND_MORE, &id), HW_E_ARGUMENT);
    CHECK_EQUAL(id, 99);
    hw_send_options options = {.struct_size = sizeof options, .flags = 8};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "a", 1, &options, NULL), HW_E_ARGUMENT);
    options = (hw_send_options){.struct_size = 4};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "a", 1, &options, NULL), HW_E_ARGUMENT);
    options = (hw_send_options){.struct_size = sizeof options};
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "whole", 5, &options, &id), HW_OK);
    CHECK_TEXT(client_message(client, 0)->text, "whole");

    id = 0;
    CHECK_STATUS(send_part(client, "\xE2\x82", HW_SEND_MORE, &id), HW_OK);
    CHECK_STATUS(send_part(client, "\x41", HW_SEND_MORE, &id), HW_E_UTF8);
    CHECK_STATUS(send_part(client, "", 0, &id), HW_E_UTF8);
    CHECK_STATUS(send_part(client, "\xAC", 0, &id), HW_OK);
    CHECK_TEXT(client_message(client, 1)->text, "\xE2\x82\xAC");
    CHECK_STATUS(send_part(client, "late", 0, &id), HW_E_ARGUMENT);
    client_free(client);
}

/* The connection breaks when the first part arrives; the message begins anew on the next, with everything that came by then. */
TEST(an_unfinished_message_begins_anew_after_a_reconnection)
{
    client *client = client_connected(server_url("ws", "/drop-once?key=parts"));
    uint64_t id = 0;
    client_send(client, "drop me");
    client_state(client, HW_STATE_RECONNECTING, 0);
    CHECK_STATUS(send_part(client, "one, ", HW_SEND_MORE, &id), HW_OK);
    client_state(client, HW_STATE_CONNECTED, 1);
    CHECK_STATUS(send_part(client, "two", 0, &id), HW_OK);
    size_t last = 0;
    while (strcmp(client_message(client, last)->text, "one, two") != 0) CHECK(last++ < 1);
    client_free(client);
}

/* An unfinished message would hold the beats up, so its parts wait. */
TEST(beats_go_on_inside_an_unfinished_message)
{
    client *client = client_new();
    client_set(client, "heartbeat.interval", "20ms");
    client_set(client, "heartbeat.text", "beat");
    client_open(client, server_url("raw", "/report-each-frame"));
    client_message(client, 0);
    uint64_t id = 0;
    CHECK_STATUS(send_part(client, "unfinished", HW_SEND_MORE, &id), HW_OK);
    for (size_t i = 0; i < 4; i++) CHECK_TEXT(client_message(client, i)->text, "[1, true, 4]");
    CHECK_STATUS(send_part(client, "", 0, &id), HW_OK);
    size_t at = 4;
    while (strcmp(client_message(client, at)->text, "[1, true, 10]") != 0) at++;
    client_free(client);
}

/* The text of n messages of the given size, as the server's flood sends them, in parts. */
TEST(large_messages_come_in_parts)
{
    enum { SIZE = 1000000, PART = 16384 };
    static const char *const servers[] = {"ws", "wss"}, *const compression[] = {"off", "on"};
    for (size_t variant = 0; variant < 4; variant++) {
        client *client = client_new();
        client_set(client, "message.part_bytes", "16KiB");
        client_set(client, "compression", compression[variant / 2]);
        client_open(client, server_url(servers[variant % 2], "/flood?n=2&size=%d", SIZE));
        size_t number = 0;
        for (int message = 0; message < 2; message++) {
            size_t size = 0;
            for (;; number++) {
                const record *part = client_message(client, number);
                CHECK_EQUAL(part->message.flags & HW_MESSAGE_CONTINUED, size == 0 ? 0 : HW_MESSAGE_CONTINUED);
                CHECK(part->message.size <= PART);
                CHECK(strspn(part->text, "x") == part->message.size);
                size += part->message.size;
                if (!(part->message.flags & HW_MESSAGE_MORE)) break;
            }
            number++;
            CHECK_EQUAL(size, SIZE);
        }
        CHECK_EQUAL(client_metrics(client).messages_received, 2);
        client_send(client, "small");
        CHECK_EQUAL(client_message(client, number)->message.flags, 0);
        client_free(client);
    }
}

TEST(parts_and_dropping_contradict_each_other)
{
    client *client = client_new();
    hw_error error = NEW_ERROR;
    client_set(client, "message.part_bytes", "1KiB");
    client_set(client, "inbox.overflow", "drop_oldest");
    CHECK_STATUS(hw_connection_open(client->config, "ws://localhost", &client->connection, &error), HW_E_CONFLICT);
    CHECK_CONTAINS(error.message, "inbox.overflow");
    client_set(client, "inbox.overflow", "pause");
    client_set(client, "message.part_bytes", "1000");
    CHECK_STATUS(hw_connection_open(client->config, "ws://localhost", &client->connection, &error), HW_E_VALUE);
    CHECK_CONTAINS(error.message, "message.part_bytes");
    client_set(client, "message.part_bytes", "0");
    client_open(client, server_url("ws", "/echo"));
    client_free(client);
}

TEST(a_frame_over_its_limit_closes_the_connection)
{
    client *client = client_new();
    client_set(client, "frame.bytes_max", "1000");
    client_set(client, "reconnect.enabled", "false");
    client_open(client, server_url("ws", "/flood?n=1&size=1001"));
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.status, HW_E_MESSAGE_TOO_LARGE);
    CHECK_EQUAL(closed->event.close_code, 1009);
    CHECK_CONTAINS(closed->text, "frame over 1000 bytes");
    client_free(client);
}

/* Of a hundred thousand pings some are answered one by one, and of the rest only the latest of each turn: the last one surely. */
TEST(a_ping_flood_is_answered_with_the_latest)
{
    enum { PINGS = 100000 };
    client *client = client_connected(server_url("raw", "/ping-flood?n=%d", PINGS));
    int pongs, last;
    CHECK_EQUAL(sscanf(client_message(client, 0)->text, "[%d, %d]", &pongs, &last), 2);
    CHECK_EQUAL(last, PINGS - 1);
    CHECK(pongs >= 100 && pongs < PINGS / 10);
    CHECK_EQUAL(client_metrics(client).pings_received, PINGS);
    client_free(client);
}

TEST(pings_at_a_bearable_rate_are_answered_one_by_one)
{
    client *client = client_connected(server_url("raw", "/ping-flood?n=100"));
    CHECK_TEXT(client_message(client, 0)->text, "[100, 99]");
    client_free(client);
}
