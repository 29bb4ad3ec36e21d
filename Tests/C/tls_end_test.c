/* How TLS begins, is resumed, and ends: agreed or refused, cleanly or not, and under floods. */
#include "client.h"
#include "tls_server.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The handshake ------------------------------------------------------------------------------------------------------------ */

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *offered, unsigned offered_size,
                     void *context)
{
    (void)ssl, (void)context;
    CHECK_EQUAL(offered_size, 9);
    CHECK(memcmp(offered, "\x08http/1.1", 9) == 0);
    *out = (const unsigned char *)"h2";
    *size = 2;
    return SSL_TLSEXT_ERR_OK;
}

/* Serves nobody: a client that does not trust what it has seen must end without a byte of HTTP. */
static void expect_no_http(SSL *ssl, int fd, int number, void *context)
{
    (void)fd, (void)number;
    atomic_int *seen = context;
    SSL_accept(ssl);
    if (tls_server_receive(ssl)) FAIL("the client spoke");
    atomic_fetch_add(seen, 1);
}

TEST(other_protocol_chosen_by_alpn_is_refused)
{
    atomic_int seen = 0;
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_alpn_select_cb(context, select_h2, NULL);
    tls_server *server = tls_server_start(context, expect_no_http, &seen);
    client *client = client_new();
    client_set(client, "reconnect.enabled", "false");
    client_open(client, tls_server_url(server));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_TLS);
    CHECK_CONTAINS(failed->text, "ALPN");
    CHECK_CONTAINS(failed->text, "http/1.1");
    client_free(client);
    tls_server_stop(server);
    CHECK_EQUAL(seen, 1);
}

TEST(nothing_is_said_before_verification_has_passed)
{
    atomic_int seen = 0;
    tls_server *server = tls_server_start(tls_server_context(), expect_no_http, &seen);
    client *client = client_new();
    client_set(client, "tls.server_name", "elsewhere.example");
    client_open(client, tls_server_url(server));
    CHECK_STATUS(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_CERTIFICATE);
    client_free(client);
    tls_server_stop(server);
    CHECK_EQUAL(seen, 1);
}

/* Ends TLS in the clear, in answer to the client's greeting. */
static void end_in_handshake(SSL *ssl, int fd, int number, void *context)
{
    (void)ssl, (void)number, (void)context;
    static const unsigned char close_notify[] = {21, 3, 3, 0, 2, 1, 0};
    char bytes[4096];
    CHECK(recv(fd, bytes, sizeof bytes, 0) > 0);
    CHECK_EQUAL(send(fd, close_notify, sizeof close_notify, MSG_NOSIGNAL), sizeof close_notify);
    /* Open until the client has seen it. */
    while (recv(fd, bytes, sizeof bytes, 0) > 0) continue;
}

TEST(close_notify_in_the_handshake_ends_the_attempt)
{
    tls_server *server = tls_server_start(tls_server_context(), end_in_handshake, NULL);
    client *client = client_new();
    client_set(client, "reconnect.attempts_max", "2");
    client_open(client, tls_server_url(server));
    CHECK_STATUS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 1)->event.status, HW_E_TLS);
    check_threads_rest();
    client_free(client);
    tls_server_stop(server);
}

/* ---- Resumption --------------------------------------------------------------------------------------------------------------- */

/* Says whether the session was resumed, and cuts each connection but the last without ending TLS. */
static void serve_sessions(SSL *ssl, int fd, int number, void *context)
{
    (void)fd;
    const int *last = context;
    if (!tls_server_accept(ssl)) return;
    tls_server_send(ssl, SSL_session_reused(ssl) ? "resumed" : "anew");
    CHECK(tls_server_receive(ssl));
    SSL_set_quiet_shutdown(ssl, 1);
    if (number == *last)
        while (tls_server_receive(ssl)) continue;
}

static void check_resumption(int version)
{
    int last = 2;
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    tls_server *server = tls_server_start(context, serve_sessions, &last);
    client *client = client_new();
    client_set(client, "tls.pins", server_fact("server_pin"));
    client_open(client, tls_server_url(server));
    for (int number = 0; number <= last; number++) {
        CHECK_TEXT(client_message(client, (size_t)number)->text, number == 0 ? "anew" : "resumed");
        CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, (size_t)number)->event.resumed, number > 0);
        client_send(client, "go on");
    }
    CHECK_EQUAL(client_event(client, HW_EVENT_CLOSED, 0)->event.close_code, 1006);

    /* What one connection keeps is not for another. */
    client_free(client);
    tls_server_stop(server);
}

TEST(session_is_resumed_in_tls_1_3) { check_resumption(TLS1_3_VERSION); }
TEST(session_is_resumed_in_tls_1_2) { check_resumption(TLS1_2_VERSION); }

TEST(session_is_not_shared_among_connections)
{
    client *first = client_connected(server_url("wss", "/tls"));
    CHECK_CONTAINS(client_message(first, 0)->text, "\"reused\": false");
    client *second = client_connected(server_url("wss", "/tls"));
    CHECK_CONTAINS(client_message(second, 0)->text, "\"reused\": false");
    CHECK_EQUAL(client_event(second, HW_EVENT_OPENED, 0)->event.resumed, 0);
    client_free(first);
    client_free(second);
}

/* ---- The end ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    int with_close_notify;
    sem_t client_rests;
} cut_orders;

/* Ends TCP without a close frame and, if told so, without close_notify, when the client has read all there was. */
static void cut(SSL *ssl, int fd, int number, void *context)
{
    (void)number;
    cut_orders *orders = context;
    if (!tls_server_accept(ssl)) return;
    tls_server_send(ssl, "the end is near");
    sem_wait(&orders->client_rests);
    if (orders->with_close_notify) SSL_shutdown(ssl);
    shutdown(fd, SHUT_WR);
    char bytes[256];
    while (recv(fd, bytes, sizeof bytes, 0) > 0) continue;
}

TEST(end_without_close_frame_is_1006)
{
    for (int with_close_notify = 0; with_close_notify < 2; with_close_notify++) {
        cut_orders orders = {.with_close_notify = with_close_notify};
        sem_init(&orders.client_rests, 0, 0);
        tls_server *server = tls_server_start(tls_server_context(), cut, &orders);
        client *client = client_new();
        client_set(client, "reconnect.enabled", "false");
        client_open(client, tls_server_url(server));
        client_message(client, 0);
        sem_post(&orders.client_rests);
        const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
        CHECK_STATUS(closed->event.status, HW_E_CONNECTION_LOST);
        CHECK_EQUAL(closed->event.close_code, 1006);
        CHECK_EQUAL(closed->event.by_peer, 0);
        CHECK_CONTAINS(closed->text, with_close_notify ? "without a close handshake" : "close_notify");
        client_free(client);
        tls_server_stop(server);
        sem_destroy(&orders.client_rests);
    }
}

/* Answers nothing, and records how the client ended TLS. */
static void record_end(SSL *ssl, int fd, int number, void *context)
{
    (void)fd, (void)number;
    atomic_int *end = context;
    if (!tls_server_accept(ssl)) return;
    while (tls_server_receive(ssl)) continue;
    atomic_store(end, SSL_get_shutdown(ssl));
}

TEST(client_ends_with_close_notify)
{
    atomic_int end = 0;
    tls_server *server = tls_server_start(tls_server_context(), record_end, &end);
    client *client = client_new();
    client_set(client, "close.timeout", "100ms");
    client_open(client, tls_server_url(server));
    client_state(client, HW_STATE_CONNECTED, 0);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
    client_state(client, HW_STATE_DISCONNECTED, 0);
    client_free(client);
    tls_server_stop(server);
    CHECK(atomic_load(&end) & SSL_RECEIVED_SHUTDOWN);
}

/* ---- Floods ------------------------------------------------------------------------------------------------------------------- */

/* Changes its keys again and again until the client has enough of it. */
static void flood_key_updates(SSL *ssl, int fd, int number, void *context)
{
    (void)fd, (void)number, (void)context;
    if (!tls_server_accept(ssl)) return;
    while (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1) continue;
}

TEST(flood_of_key_updates_ends_the_connection)
{
    tls_server *server = tls_server_start(tls_server_context(), flood_key_updates, NULL);
    client *client = client_new();
    client_set(client, "reconnect.enabled", "false");
    client_open(client, tls_server_url(server));
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_STATUS(closed->event.status, HW_E_CONNECTION_LOST);
    CHECK_CONTAINS(closed->text, "hold no data");
    client_free(client);
    tls_server_stop(server);
}

/* Key updates that want an answer, between messages: as a careful server makes them. */
static void update_keys(SSL *ssl, int fd, int number, void *context)
{
    (void)fd, (void)number, (void)context;
    if (!tls_server_accept(ssl)) return;
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        tls_server_send(ssl, "new key");
        CHECK(tls_server_receive(ssl));
    }
    while (tls_server_receive(ssl)) continue;
}

TEST(key_updates_between_messages_are_followed)
{
    tls_server *server = tls_server_start(tls_server_context(), update_keys, NULL);
    client *client = client_new();
    client_open(client, tls_server_url(server));
    for (size_t i = 0; i < 10; i++) {
        CHECK_TEXT(client_message(client, i)->text, "new key");
        client_send(client, "seen");
    }
    CHECK_EQUAL(client_event_count(client, HW_EVENT_CLOSED), 0);
    client_free(client);
    tls_server_stop(server);
}
