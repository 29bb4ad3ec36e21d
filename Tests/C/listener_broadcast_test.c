/* What a listener says to many of its clients at once. */
#include "listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(broadcasts_reach_a_group_or_all)
{
    server server;
    server_start(&server);
    client *clients[3];
    hw_connection *handles[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = plain_client();
        client_connect(clients[i], server.url);
        AWAIT(counted(&server, &server.opened) == i + 1);
        handles[i] = latest_client(&server);
    }
    uint64_t reached = 0;
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "to all", 6, &reached), HW_OK);
    CHECK_EQUAL(reached, 3);
    for (int i = 0; i < 2; i++) CHECK_STATUS(hw_listener_join(server.listener, handles[i], "some"), HW_OK);
    CHECK_STATUS(hw_listener_join(server.listener, handles[0], "some"), HW_OK);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "some", HW_BINARY, "\1", 1, &reached), HW_OK);
    CHECK_EQUAL(reached, 2);
    CHECK_STATUS(hw_listener_leave(server.listener, handles[0], "some"), HW_OK);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "some", HW_TEXT, "to one", 6, &reached), HW_OK);
    CHECK_EQUAL(reached, 1);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "none", HW_TEXT, "", 0, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    CHECK_TEXT(client_message(clients[2], 0)->text, "to all");
    CHECK_EQUAL(client_message(clients[0], 1)->message.kind, HW_BINARY);
    CHECK_TEXT(client_message(clients[1], 2)->text, "to one");
    client_free(clients[1]);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "some", HW_TEXT, "", 0, &reached), HW_OK);
    CHECK_EQUAL(reached, 0);
    CHECK_STATUS(hw_listener_join(server.listener, handles[1], "some"), HW_E_HANDLE);
    CHECK_STATUS(hw_listener_join(server.listener, clients[0]->connection, "some"), HW_E_STATE);
    CHECK_STATUS(hw_listener_broadcast(server.listener, "", HW_TEXT, "", 0, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "\xff", 1, NULL), HW_E_UTF8);
    client_free(clients[0]);
    client_free(clients[2]);
    server_end(&server);
}

static uint64_t reached_by(server *server, const char *group)
{
    uint64_t reached;
    CHECK_STATUS(hw_listener_broadcast(server->listener, group, HW_TEXT, "", 0, &reached), HW_OK);
    return reached;
}

TEST(many_groups_are_told_apart)
{
    enum { COUNT = 300 };
    server server;
    server_start(&server);
    client *clients[2];
    hw_connection *handles[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = plain_client();
        client_connect(clients[i], server.url);
        AWAIT(counted(&server, &server.opened) == i + 1);
        handles[i] = latest_client(&server);
    }
    char group[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(group, sizeof group, "group %d", i);
        CHECK_EQUAL(reached_by(&server, group), 0);
        CHECK_STATUS(hw_listener_join(server.listener, handles[0], group), HW_OK);
        if (i % 3 == 0) CHECK_STATUS(hw_listener_join(server.listener, handles[1], group), HW_OK);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(group, sizeof group, "group %d", i);
        CHECK_EQUAL(reached_by(&server, group), i % 3 == 0 ? 2 : 1);
        if (i % 2 == 0) CHECK_STATUS(hw_listener_leave(server.listener, handles[0], group), HW_OK);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(group, sizeof group, "group %d", i);
        CHECK_EQUAL(reached_by(&server, group), (i % 3 == 0) + (i % 2 != 0));
    }
    for (int i = 0; i < 2; i++) client_free(clients[i]);
    AWAIT(counted(&server, &server.released) == 2);
    CHECK_EQUAL(reached_by(&server, "group 3"), 0);
    server_end(&server);
}

/* Broadcasts that follow one another may leave together, and what is sent to one client stays in its place between them. */
TEST(broadcasts_keep_their_order)
{
    enum { COUNT = 200 };
    server server;
    server_start(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    AWAIT(counted(&server, &server.opened) == 1);
    char text[16];
    for (int i = 0; i < COUNT; i++) {
        int size = snprintf(text, sizeof text, "%d", i);
        uint64_t reached = 1;
        if (i % 5 == 3) {
            CHECK_STATUS(hw_connection_send(latest_client(&server), HW_TEXT, text, (size_t)size, NULL, NULL), HW_OK);
        } else {
            CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, text, (size_t)size, &reached), HW_OK);
        }
        CHECK_EQUAL(reached, 1);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_TEXT(client_message(client, (size_t)i)->text, text);
    }
    client_free(client);
    server_end(&server);
}

/* Compressed once for all; what goes to one client alone before and after that refers to nothing that the other end has not got. */
TEST(broadcasts_and_other_messages_are_compressed_side_by_side)
{
    server server;
    server_init(&server);
    server_set(&server, "compression", "on");
    server_set(&server, "compression.threshold_bytes", "0");
    server_open(&server, "ws://127.0.0.1:0");
    const char *windows[] = {"15", "9", "off"};
    client *clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = plain_client();
        int is_compressed = strcmp(windows[i], "off") != 0;
        client_set(clients[i], "compression", is_compressed ? "on" : "off");
        if (is_compressed) client_set(clients[i], "compression.server_window_bits", windows[i]);
        client_connect(clients[i], server.url);
        CHECK_EQUAL(client_event(clients[i], HW_EVENT_OPENED, 0)->event.compressed, is_compressed);
    }
    AWAIT(counted(&server, &server.opened) == 3);
    char text[4000];
    size_t count = 0;
    for (int round = 0; round < 20; round++) {
        for (int size = 10; size < (int)sizeof text; size *= 3) {
            /* The same in every round, but for a few letters: there is much to refer to. */
            for (int i = 0; i < size; i++) text[i] = (char)('a' + i * (i % 7 + 3) % 26);
            text[0] = (char)('A' + round);
            text[size] = 0;
            if (round % 3 == 1) {
                uint64_t reached;
                CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, text, (size_t)size, &reached), HW_OK);
                CHECK_EQUAL(reached, 3);
            }
            for (int i = 0; i < 3; i++) {
                if (round % 3 != 1) client_send(clients[i], text);
                CHECK_TEXT(client_message(clients[i], count)->text, text);
            }
            count++;
        }
    }
    for (int i = 0; i < 3; i++) client_free(clients[i]);
    server_end(&server);
}

TEST(heartbeats_go_to_all_clients)
{
    server server;
    server_init(&server);
    server_set(&server, "broadcast.heartbeat", "text");
    server_set(&server, "broadcast.interval", "20ms");
    server_open(&server, "ws://127.0.0.1:0");
    enum { COUNT = 3 };
    client *clients[COUNT];
    for (int i = 0; i < COUNT; i++) {
        clients[i] = plain_client();
        client_connect(clients[i], server.url);
    }
    for (int i = 0; i < COUNT; i++) {
        const record *first = client_message(clients[i], 0), *third = client_message(clients[i], 2);
        int year, month, day, hour, minute, read = 0;
        double second;
        sscanf(first->text, "{\"ts\": \"%4d-%2d-%2dT%2d:%2d:%lf+00:00\"}%n", &year, &month, &day, &hour, &minute, &second, &read);
        CHECK_EQUAL((size_t)read, strlen(first->text));
        CHECK(strcmp(first->text, third->text) < 0);
        CHECK_EQUAL(third->message.kind, HW_TEXT);
    }
    /* It goes on when one has gone. */
    client_free(clients[0]);
    AWAIT(counted(&server, &server.released) == 1);
    client_message(clients[1], client_message_count(clients[1]) + 2);
    client_free(clients[1]);
    client_free(clients[2]);
    server_end(&server);
}

TEST(heartbeats_are_what_the_template_says_compressed_if_asked_for)
{
    server server;
    server_init(&server);
    server_set(&server, "broadcast.heartbeat", "gzip");
    server_set(&server, "broadcast.interval", "20ms");
    server_set(&server, "broadcast.template", "beat ${counter}");
    server_open(&server, "ws://127.0.0.1:0");
    client *client = plain_client();
    client_connect(client, server.url);
    const record *beat = client_message(client, 1);
    CHECK_EQUAL(beat->message.kind, HW_BINARY);
    CHECK(beat->message.size > 18 && memcmp(beat->text, "\x1f\x8b\x08", 3) == 0);
    /* RFC 1952 section 2.3.1: the size of what was compressed is at the end. */
    CHECK_EQUAL((int)beat->text[beat->message.size - 4], (int)strlen("beat 2"));
    client_free(client);
    server_end(&server);
}

TEST(a_heartbeat_that_cannot_be_sent_is_refused)
{
    static const struct {
        const char *heartbeat, *template;
        hw_status status;
        const char *text;
    } cases[] = {
        {"text", "${last.seq}", HW_E_VALUE, "property 'broadcast.template' has ${last.seq}, and nothing is learned here"},
        {"text", "${payload}", HW_E_VALUE, "property 'broadcast.template' has ${payload}, but answers no message that has one"},
        {"gzip", "${", HW_E_VALUE, "property 'broadcast.template' has a ${ without its }, at '${'"},
        {"off", "beat", HW_E_CONFLICT, "broadcast.heartbeat is off: set it to \"text\" or \"gzip\" for what is to be sent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server server;
        server_init(&server);
        server_set(&server, "broadcast.heartbeat", cases[i].heartbeat);
        server_set(&server, "broadcast.template", cases[i].template);
        hw_error error = {.struct_size = sizeof error};
        CHECK_STATUS(hw_listener_open(server.config, "ws://127.0.0.1:0", &server.listener, &error), cases[i].status);
        CHECK_TEXT(error.message, cases[i].text);
        hw_config_free(server.config);
    }
}

TEST(clients_come_and_go_while_all_are_sent_to)
{
    server server;
    server_start(&server);
    for (int round = 0; round < 20; round++) {
        client *clients[8];
        for (int i = 0; i < 8; i++) {
            clients[i] = plain_client();
            client_open(clients[i], server.url);
        }
        for (int i = 0; i < 8; i++) {
            client_state(clients[i], HW_STATE_CONNECTED, 0);
            CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "news", 4, NULL), HW_OK);
        }
        for (int i = 0; i < 8; i++) client_free(clients[i]);
    }
    AWAIT(counted(&server, &server.opened) == 160);
    server_end(&server);
}
