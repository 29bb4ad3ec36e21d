/* hw_shutdown: all connections of the process closed gracefully, and what could not be. */
#include "client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW_REPORT ((hw_shutdown_report){.struct_size = sizeof(hw_shutdown_report)})

static void check_report(hw_shutdown_report report, unsigned connections, unsigned cut, unsigned unsent, unsigned messages, unsigned bytes)
{
    CHECK_EQUAL(report.connections, connections);
    CHECK_EQUAL(report.connections_cut, cut);
    CHECK_EQUAL(report.connections_unsent, unsent);
    CHECK_EQUAL(report.messages_unsent, messages);
    CHECK_EQUAL(report.bytes_unsent, bytes);
}

TEST(all_connections_send_what_they_have_and_close_with_1001)
{
    enum { CLIENTS = 40, MESSAGES = 50 };
    client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) clients[i] = client_connected(server_url(i % 2 ? "wss" : "ws", "/echo?key=shutdown-%d", i));
    /* The first only closes. */
    for (int i = 1; i < CLIENTS; i++)
        for (int j = 0; j < MESSAGES; j++) client_send(clients[i], "before the end");
    hw_shutdown_report report = NEW_REPORT;
    CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
    check_report(report, CLIENTS, 0, 0, 0, 0);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_EQUAL(hw_connection_state(clients[i]->connection), HW_STATE_DISCONNECTED);
        CHECK_EQUAL(client_metrics(clients[i]).messages_sent, i == 0 ? 0 : MESSAGES);
        CHECK_STATUS(client_event(clients[i], HW_EVENT_CLOSED, 0)->event.status, HW_OK);
        client_free(clients[i]);
    }
    check_seen_close("shutdown-0", 1001, "");
}

TEST(without_connections_there_is_nothing_to_do)
{
    hw_shutdown_report report = NEW_REPORT;
    CHECK_STATUS(hw_shutdown(0, NULL), HW_OK);
    CHECK_STATUS(hw_shutdown(UINT32_MAX, &report), HW_OK);
    check_report(report, 0, 0, 0, 0, 0);
}

TEST(afterwards_nothing_is_left_to_close_and_connections_may_be_opened)
{
    hw_shutdown_report report = NEW_REPORT;
    for (int i = 0; i < 3; i++) {
        client *client = client_connected(server_url("ws", "/echo"));
        CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
        check_report(report, 1, 0, 0, 0, 0);
        CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
        check_report(report, 0, 0, 0, 0, 0);
        CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_STATE);
        client_free(client);
    }
}

TEST(a_server_that_does_not_answer_the_close_frame_is_cut_off)
{
    struct {
        const char *close_timeout;
        unsigned timeout_ms;
    } cases[] = {{"1h", 50}, {"50ms", PATIENCE_MS}, {"1h", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *silent = client_new();
        client_set(silent, "close.timeout", cases[i].close_timeout);
        client_connect(silent, server_url("raw", "/silent"));
        hw_shutdown_report report = NEW_REPORT;
        CHECK_STATUS(hw_shutdown(cases[i].timeout_ms, &report), HW_E_TIMEOUT);
        check_report(report, 1, 1, 0, 0, 0);
        CHECK_EQUAL(hw_connection_state(silent->connection), HW_STATE_DISCONNECTED);
        CHECK_EQUAL(client_event(silent, HW_EVENT_CLOSED, 0)->event.close_code, 1006);
        client_free(silent);
    }
}

/* What belongs to its connection alone is lost with it, and no less unsent. */
TEST(messages_to_be_sent_now_that_are_cut_off_are_reported)
{
    client *deaf = client_connected(server_url("raw", "/deaf"));
    static char large[4 << 20];
    for (int i = 0; i < 3; i++) CHECK_STATUS(hw_connection_send(deaf->connection, HW_BINARY, large, sizeof large, NULL, NULL), HW_OK);
    hw_send_options now = {.struct_size = sizeof now, .flags = HW_SEND_NOW};
    uint64_t id;
    CHECK_STATUS(hw_connection_send(deaf->connection, HW_TEXT, "order", 5, &now, &id), HW_OK);
    hw_shutdown_report report = NEW_REPORT;
    CHECK_STATUS(hw_shutdown(100, &report), HW_E_TIMEOUT);
    CHECK_EQUAL(report.connections_unsent, 1);
    CHECK_EQUAL(report.bytes_unsent % sizeof large, 5);
    CHECK_EQUAL(report.messages_unsent, 1 + report.bytes_unsent / sizeof large);
    const record *dropped = client_event(deaf, HW_EVENT_OUTCOME, 0);
    CHECK_EQUAL(dropped->event.message_id, id);
    CHECK(client_event(deaf, HW_EVENT_CLOSED, 0)->event.status != HW_OK);
    client_free(deaf);
}

TEST(what_is_not_sent_is_reported)
{
    client *waiting = client_new(), *deaf = client_new(), *fine = client_connected(server_url("ws", "/echo"));
    client_open(waiting, server_url("refused", "/"));
    for (int i = 0; i < 3; i++) client_send(waiting, "never");
    client_connect(deaf, server_url("raw", "/deaf"));
    static char large[4 << 20];
    while (hw_connection_send(deaf->connection, HW_BINARY, large, sizeof large, NULL, NULL) == HW_OK) continue;
    hw_shutdown_report report = NEW_REPORT;
    CHECK_STATUS(hw_shutdown(2000, &report), HW_E_TIMEOUT);
    CHECK_EQUAL(report.connections, 3);
    CHECK_EQUAL(report.connections_cut, 1);
    CHECK_EQUAL(report.connections_unsent, 2);
    CHECK_EQUAL((report.bytes_unsent - 3 * strlen("never")) % sizeof large, 0);
    CHECK_EQUAL(report.messages_unsent, 3 + report.bytes_unsent / sizeof large);
    CHECK(report.messages_unsent > 3);
    CHECK(client_event(deaf, HW_EVENT_CLOSED, 0)->event.status != HW_OK);
    client_free(waiting);
    client_free(deaf);
    client_free(fine);
}

static void shut_down_from_inside(client *client, const record *latest)
{
    if (!latest->is_event || latest->event.kind != HW_EVENT_OPENED) return;
    *(hw_status *)client->hook_context = hw_shutdown(PATIENCE_MS, NULL);
}

TEST(from_inside_a_callback_it_is_refused)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t i = 0; i < 2; i++) {
        hw_status status = HW_OK;
        client *client = client_new();
        client->hook = shut_down_from_inside;
        client->hook_context = &status;
        client_set(client, "delivery", deliveries[i]);
        client_connect(client, server_url("ws", "/echo"));
        client_event(client, HW_EVENT_OPENED, 0);
        CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
        client_free(client);
        CHECK_STATUS(status, HW_E_IN_CALLBACK);
    }
}

TEST(a_report_that_cannot_be_written_closes_nothing)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_shutdown_report report = {.struct_size = 4};
    CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_E_ARGUMENT);
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    /* An older program's struct ends earlier. */
    report = (hw_shutdown_report){.struct_size = 8, .connections_cut = 77};
    CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
    CHECK_EQUAL(report.connections, 1);
    CHECK_EQUAL(report.connections_cut, 77);
    client_free(client);
}

static _Atomic int is_over;

static void *open_and_release(void *context)
{
    const hw_config *config = context;
    while (!is_over) {
        hw_connection *connection = NULL;
        CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_OK);
        hw_connection_wait(connection, HW_STATE_CONNECTED, PATIENCE_MS, NULL);
        hw_connection_release(connection);
    }
    return NULL;
}

TEST(connections_may_be_opened_and_released_meanwhile)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    for (int i = 0; i < THREADS; i++) CHECK_EQUAL(pthread_create(&threads[i], NULL, open_and_release, config), 0);
    for (unsigned closed = 0; closed < 50;) {
        hw_shutdown_report report = NEW_REPORT;
        CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
        closed += report.connections;
    }
    is_over = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    hw_config_free(config);
}

static void shut_down(void) { CHECK_STATUS(hw_shutdown(UINT32_MAX, NULL), HW_OK); }

/* An exit handler that was registered later than the library's own runs before it; an earlier one finds nothing left to do. */
TEST(at_exit)
{
    for (int is_registered_first = 0; is_registered_first < 2; is_registered_first++) {
        fflush(NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            if (is_registered_first) CHECK_EQUAL(atexit(shut_down), 0);
            client *client = client_connected(server_url("wss", "/echo?key=exit-%d", is_registered_first));
            if (!is_registered_first) CHECK_EQUAL(atexit(shut_down), 0);
            client_send(client, "last words");
            exit(0);
        }
        int status = 0;
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        CHECK_EQUAL(status, 0);
    }
    check_seen_close("exit-0", 1001, "");
}

TEST(in_a_forked_child_the_parents_connections_are_left_alone)
{
    client *client = client_connected(server_url("ws", "/echo"));
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        hw_shutdown_report report = NEW_REPORT;
        CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
        check_report(report, 0, 0, 0, 0, 0);
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    client_send(client, "still here");
    CHECK_TEXT(client_message(client, 0)->text, "still here");
    client_free(client);
}
