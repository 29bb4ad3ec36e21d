/* How clients of a listener, and the listener itself, come to their ends. */
#include "listener.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Takes one delivery after another until this event comes, and gives the connection that it is of. */
static hw_connection *take_until(hw_inbox *inbox, hw_event_kind kind)
{
    hw_delivery delivery;
    size_t count;
    do CHECK_STATUS(hw_inbox_take(inbox, &delivery, 1, &count, PATIENCE_MS), HW_OK);
    while (delivery.event == NULL || delivery.event->kind != kind);
    return delivery.connection;
}

/* A listener whose clients deliver into an inbox. */
static hw_inbox *open_with_inbox(server *server)
{
    hw_inbox *inbox;
    CHECK_STATUS(hw_config_new(&server->config), HW_OK);
    CHECK_STATUS(hw_inbox_new(server->config, &inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(server->config, inbox, NULL), HW_OK);
    server_open(server, "ws://127.0.0.1:0");
    return inbox;
}

static hw_status look_at(hw_connection *connection)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    return hw_connection_metrics(connection, &metrics);
}

TEST(a_clients_handle_lasts_until_its_end_has_been_taken)
{
    server server = {0};
    hw_inbox *inbox = open_with_inbox(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    hw_connection *handle = take_until(inbox, HW_EVENT_OPENED);
    client_free(client);
    CHECK(take_until(inbox, HW_EVENT_CLOSED) == handle);
    CHECK_STATUS(look_at(handle), HW_OK);
    CHECK(take_until(inbox, HW_EVENT_RELEASED) == handle);
    /* What was taken with it may still be looked at. */
    CHECK_STATUS(look_at(handle), HW_OK);
    CHECK_STATUS(hw_connection_send(handle, HW_TEXT, "late", 4, NULL, NULL), HW_E_STATE);
    hw_delivery delivery;
    size_t count;
    CHECK_STATUS(hw_inbox_take(inbox, &delivery, 1, &count, 0), HW_E_TIMEOUT);
    CHECK_STATUS(look_at(handle), HW_E_HANDLE);
    hw_listener_close(server.listener);
    hw_inbox_release(inbox);
    hw_config_free(server.config);
}

TEST(handles_end_with_the_inbox_that_their_ends_wait_in)
{
    server server = {0};
    hw_inbox *inbox = open_with_inbox(&server);
    client *gone = plain_client(), *late = plain_client();
    client_connect(gone, server.url);
    hw_connection *first = take_until(inbox, HW_EVENT_OPENED);
    client_connect(late, server.url);
    hw_connection *second = take_until(inbox, HW_EVENT_OPENED);
    client_free(gone);
    CHECK(take_until(inbox, HW_EVENT_CLOSED) == first);
    hw_inbox_release(inbox);
    AWAIT(look_at(first) == HW_E_HANDLE);
    CHECK_STATUS(look_at(second), HW_OK);
    client_free(late);
    AWAIT(look_at(second) == HW_E_HANDLE);
    hw_listener_close(server.listener);
    hw_config_free(server.config);
}

/* A handle that is looked at in each callback, and how that went. */
typedef struct {
    server *server;
    hw_status at_close, at_release;
} looker;

static void look(hw_connection *connection, const hw_event *event, void *context)
{
    looker *looker = context;
    pthread_mutex_lock(&looker->server->lock);
    if (event->kind == HW_EVENT_CLOSED) looker->at_close = look_at(connection);
    if (event->kind == HW_EVENT_RELEASED) {
        looker->at_release = look_at(connection);
        looker->server->released++;
    }
    pthread_mutex_unlock(&looker->server->lock);
}

TEST(a_clients_handle_lasts_until_its_end_is_told)
{
    server server;
    server_init(&server);
    looker looker = {.server = &server, .at_close = -1, .at_release = -1};
    CHECK_STATUS(hw_config_on_event(server.config, look, &looker), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");
    client *client = plain_client();
    client_connect(client, server.url);
    client_free(client);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_STATUS(looker.at_close, HW_OK);
    CHECK_STATUS(looker.at_release, HW_E_HANDLE);
    hw_listener_close(server.listener);
    hw_config_free(server.config);
}

/* The answer must not be lost because the request had not been read: the kernel resets such a connection, and what it had sent is gone. */
TEST(those_that_are_too_many_read_why)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.connections_max", "1");
    server_open(&server, "ws://127.0.0.1:0");
    client *client = plain_client();
    client_connect(client, server.url);
    for (int i = 0; i < 50; i++) {
        char answer[1024];
        size_t size = drain(silent_socket(&server, request), answer, sizeof answer - 1);
        answer[size] = 0;
        CHECK_CONTAINS(answer, "HTTP/1.1 503 Service Unavailable\r\n");
        CHECK_CONTAINS(answer, "There are too many clients.");
    }
    client_free(client);
    server_end(&server);
}

/* Those that are turned away and do not even ask take nobody's place. */
TEST(those_that_are_too_many_take_no_place)
{
    server server;
    server_init(&server);
    server_set(&server, "listener.connections_max", "1");
    server_open(&server, "ws://127.0.0.1:0");
    client *first = plain_client();
    client_connect(first, server.url);
    int silent[100];
    for (int i = 0; i < 100; i++) silent[i] = silent_socket(&server, "GET / HTTP/1.1\r\n");
    client_free(first);
    AWAIT(counted(&server, &server.released) == 1);
    client *second = plain_client();
    client_connect(second, server.url);
    for (int i = 0; i < 100; i++) close(silent[i]);
    client_free(second);
    server_end(&server);
}

TEST(a_client_is_decided_about_once)
{
    server server;
    server_init(&server);
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");
    for (int i = 1; i <= 50; i++) {
        client *client = plain_client();
        client_open(client, server.url);
        uint64_t attempt_id = 0;
        AWAIT((attempt_id = take_attempt(&server)) > 0);
        hw_connection *asking = latest_client(&server);
        CHECK_STATUS(hw_connection_accept(asking, attempt_id, 0, NULL), HW_OK);
        while (counted(&server, &server.opened) < i) CHECK_STATUS(hw_connection_accept(asking, attempt_id, 0, NULL), HW_E_STATE);
        client_free(client);
        AWAIT(counted(&server, &server.released) == i);
    }
    server_end(&server);
}

TEST(an_address_is_free_once_its_listener_is_closed)
{
    server server;
    server_start(&server);
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", server.port);
    for (int i = 0; i < 200; i++) {
        hw_listener_close(server.listener);
        server_open(&server, url);
    }
    server_end(&server);
}

TEST(broadcasts_that_a_shutdown_cuts_off_are_reported)
{
    server server;
    server_start(&server);
    int deaf = silent_socket(&server, request);
    AWAIT(counted(&server, &server.opened) == 1);
    static char large[4 << 20];
    for (int i = 0; i < 3; i++) {
        uint64_t reached;
        CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_BINARY, large, sizeof large, &reached), HW_OK);
        CHECK_EQUAL(reached, 1);
    }
    hw_shutdown_report report = {.struct_size = sizeof report};
    CHECK_STATUS(hw_shutdown(100, &report), HW_E_TIMEOUT);
    CHECK_EQUAL(report.connections_cut, 1);
    CHECK_EQUAL(report.connections_unsent, 1);
    CHECK(report.messages_unsent > 0);
    CHECK_EQUAL(report.bytes_unsent, report.messages_unsent * sizeof large);
    AWAIT(counted(&server, &server.closed) == 1);
    CHECK(server.close_status != HW_OK);
    close(deaf);
    server_end(&server);
}
