/* A listener at a wss URL: what it is configured with, whom it lets in, and what becomes of those that speak no TLS, or badly. */
#include "listener.h"
#include "tls_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Good clients ----------------------------------------------------------------------------------------------------------------- */

TEST(messages_go_both_ways_over_tls)
{
    server server;
    secure_start(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    check_echo(client, "h\xc3\xa9llo");
    /* More than sockets and records hold. */
    size_t size = 3 << 20;
    char *large = malloc(size);
    memset(large, 'x', size);
    CHECK_STATUS(hw_connection_send(client->connection, HW_BINARY, large, size, NULL, NULL), HW_OK);
    CHECK_EQUAL(client_message(client, 1)->message.size, size);
    free(large);
    CHECK_STATUS(hw_connection_close(client->connection, 1000, "done"), HW_OK);
    CHECK_STATUS(client_event(client, HW_EVENT_CLOSED, 0)->event.status, HW_OK);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_EQUAL(server.close_code, 1000);
    CHECK_TEXT(server.close_text, "done");
    client_free(client);
    server_end(&server);
}

TEST(a_listeners_key_may_be_elsewhere_and_encrypted)
{
    server server;
    server_init(&server);
    set_pem(server.config, "tls.certificate_pem", server_fact("client_certificate"));
    server_set(&server, "tls.key_file", server_fact("client_locked_key"));
    server_set(&server, "tls.key_password", server_fact("key_password"));
    secure_open(&server);
    client *client = plain_client();
    /* It is another's certificate: what counts is that it is shown. */
    client_set(client, "tls.verify", "false");
    client_connect(client, server.url);
    check_echo(client, "here");
    client_free(client);
    server_end(&server);
}

TEST(a_handshake_may_come_byte_by_byte)
{
    server server;
    secure_start(&server);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect_socket(fd, &server);
    while (SSL_do_handshake(ssl) != 1) {
        char bytes[16384];
        int size = BIO_read(out, bytes, sizeof bytes);
        for (int i = 0; i < size; i++) CHECK_EQUAL(send(fd, bytes + i, 1, 0), 1);
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        CHECK(count > 0);
        CHECK_EQUAL(BIO_write(in, bytes, (int)count), count);
    }
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    server_end(&server);
}

/* ---- What is agreed on ------------------------------------------------------------------------------------------------------------ */

TEST(old_versions_of_tls_are_refused)
{
    static const struct {
        const char *version_min; /* NULL: not set */
        int version_max;         /* the client's */
        int is_let_in;
    } cases[] = {
        {NULL, TLS1_1_VERSION, 0}, {NULL, TLS1_2_VERSION, 1}, {"1.2", TLS1_3_VERSION, 1}, {"1.3", TLS1_2_VERSION, 0},
        {"1.3", TLS1_3_VERSION, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server server;
        secure_init(&server);
        if (cases[i].version_min != NULL) server_set(&server, "tls.version_min", cases[i].version_min);
        secure_open(&server);
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        CHECK_EQUAL(SSL_CTX_set_min_proto_version(context, TLS1_VERSION), 1);
        CHECK_EQUAL(SSL_CTX_set_max_proto_version(context, cases[i].version_max), 1);
        CHECK_EQUAL(SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0"), 1);
        SSL *ssl = tls_client(context, &server);
        CHECK_EQUAL(SSL_connect(ssl) == 1, cases[i].is_let_in);
        if (!cases[i].is_let_in) CHECK_EQUAL(tls_reason(), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
        tls_client_free(ssl);
        SSL_CTX_free(context);
        server_end(&server);
    }
}

TEST(of_protocols_only_http_1_1_is_chosen)
{
    static const struct {
        const char *offered; /* in wire form; NULL: none */
        const char *selected;
        int reason; /* why the handshake fails; 0 if it does not */
    } cases[] = {
        {NULL, "", 0},
        {"\x08http/1.1", "http/1.1", 0},
        {"\x02h2\x08http/1.1", "http/1.1", 0},
        {"\x02h2", NULL, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL},
        {"\x08http/1.0\x07http/1.", NULL, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL},
    };
    server server;
    secure_start(&server);
    int let_in = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        const char *offered = cases[i].offered;
        if (offered != NULL) CHECK_EQUAL(SSL_CTX_set_alpn_protos(context, (const unsigned char *)offered, (unsigned)strlen(offered)), 0);
        SSL *ssl = tls_client(context, &server);
        CHECK_EQUAL(SSL_connect(ssl) == 1, cases[i].reason == 0);
        if (cases[i].reason == 0) {
            const unsigned char *selected = NULL;
            unsigned size = 0;
            SSL_get0_alpn_selected(ssl, &selected, &size);
            CHECK_EQUAL(size, strlen(cases[i].selected));
            CHECK(size == 0 || memcmp(selected, cases[i].selected, size) == 0);
            tls_upgrade(ssl);
            let_in++;
            AWAIT(counted(&server, &server.opened) == let_in);
        } else {
            CHECK_EQUAL(tls_reason(), cases[i].reason);
        }
        tls_client_free(ssl);
        SSL_CTX_free(context);
    }
    server_end(&server);
}

TEST(clients_cannot_renegotiate)
{
    server server;
    secure_start(&server);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    CHECK_EQUAL(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
    SSL *ssl = tls_client(context, &server);
    CHECK_EQUAL(SSL_connect(ssl), 1);
    tls_upgrade(ssl);
    AWAIT(counted(&server, &server.opened) == 1);
    CHECK_EQUAL(SSL_renegotiate(ssl), 1);
    CHECK(SSL_do_handshake(ssl) != 1);
    CHECK_EQUAL(tls_reason(), SSL_R_NO_RENEGOTIATION);
    tls_client_free(ssl);
    SSL_CTX_free(context);
    server_end(&server);
}

/* ---- Bad clients ------------------------------------------------------------------------------------------------------------------ */

/* The beginning of a client's first message. */
static size_t greeting(char *bytes, size_t capacity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    CHECK(SSL_do_handshake(ssl) != 1);
    int size = BIO_read(SSL_get_wbio(ssl), bytes, (int)capacity);
    CHECK(size > 100);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return (size_t)size;
}

/* A socket that has connected and sent this. */
static int rude_socket(const server *server, const char *bytes, size_t size)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect_socket(fd, server);
    CHECK_EQUAL(send(fd, bytes, size, MSG_NOSIGNAL), size);
    return fd;
}

TEST(what_is_no_tls_is_cut_off_and_none_of_the_hosts_business)
{
    enum { ROUNDS = 5, WAITING = 6 };
    log_start(HW_LOG_DEBUG);
    server server;
    secure_init(&server);
    server_set(&server, "connect.timeout", "2s");
    secure_open(&server);
    client *client = plain_client();
    client_connect(client, server.url);
    int before = count_entries("/proc/self/fd");
    char hello[4096], seen[4096];
    size_t size = greeting(hello, sizeof hello);
    int waiting[ROUNDS][WAITING];
    for (int round = 0; round < ROUNDS; round++) {
        waiting[round][0] = rude_socket(&server, request, strlen(request));
        waiting[round][1] = rude_socket(&server, "\0\1\2\3\4\5\6\7\x08\x09\x0a", 11);
        waiting[round][2] = rude_socket(&server, "\x16\x03\x01\xff\xff", 5);
        waiting[round][3] = rude_socket(&server, hello, 50);
        waiting[round][4] = rude_socket(&server, "", 0);
        waiting[round][5] = rude_socket(&server, hello, size);
        /* These go away. */
        close(rude_socket(&server, hello, 50));
        close(rude_socket(&server, hello, size));
        close(rude_socket(&server, "", 0));
        hello[60 + round] ^= 0x55;
    }
    /* The others are answered, if at all, with an alert, or cut off when their time is over. */
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WAITING; i++) {
            size_t count = drain(waiting[round][i], seen, sizeof seen);
            CHECK(memmem(seen, count, "HTTP", 4) == NULL);
            if (i == 3 || i == 4) CHECK_EQUAL(count, 0);
            if (i == 5) CHECK(count > 0);
        }
    }
    AWAIT(count_entries("/proc/self/fd") == before);
    CHECK_EQUAL(counted(&server, &server.opened), 1);
    CHECK_EQUAL(counted(&server, &server.released), 0);
    CHECK_TEXT(server.failure, "");
    AWAIT(log_count("attempt failed: the TLS handshake with the client failed: http request") == 5);
    AWAIT(log_count("attempt failed: the TLS handshake with the client failed: wrong version number") >= 5);
    AWAIT(log_count("attempt failed: the TLS handshake with the client failed: the client ended the connection") > 0);
    AWAIT(log_count("attempt failed: connect.timeout ran out before the client had asked for a WebSocket connection") > 0);
    check_echo(client, "still here");
    client_free(client);
    server_end(&server);
}

TEST(failures_of_clients_stand_in_the_log_for_those_who_look_for_them)
{
    log_start(HW_LOG_INFO);
    server server;
    secure_start(&server);
    char seen[4096];
    drain(rude_socket(&server, request, strlen(request)), seen, sizeof seen);
    client *client = plain_client();
    client_connect(client, server.url);
    AWAIT(log_count("opened") == 2 && counted(&server, &server.opened) == 1);
    CHECK_EQUAL(log_count("failed"), 0);
    client_free(client);
    server_end(&server);
}

TEST(clients_beyond_the_limit_are_cut_off_before_tls)
{
    server server;
    secure_init(&server);
    server_set(&server, "listener.connections_max", "1");
    secure_open(&server);
    client *first = plain_client();
    client_connect(first, server.url);
    AWAIT(counted(&server, &server.opened) == 1);
    client *second = plain_client();
    client_open(second, server.url);
    CHECK_STATUS(client_state(second, HW_STATE_FAILED, 0)->event.status, HW_E_TLS);
    client_free(second);
    client_free(first);
    server_end(&server);
}

TEST(the_ends_of_tls_connections_are_told_apart)
{
    static const struct {
        int says_so; /* by close_notify */
        const char *text;
    } cases[] = {
        {1, "the client ended the connection without a close handshake"},
        {0, "the client cut the connection, without a close handshake and without ending TLS (close_notify)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server server;
        secure_start(&server);
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL *ssl = tls_client(context, &server);
        CHECK_EQUAL(SSL_connect(ssl), 1);
        tls_upgrade(ssl);
        if (cases[i].says_so) SSL_shutdown(ssl);
        tls_client_free(ssl);
        SSL_CTX_free(context);
        AWAIT(counted(&server, &server.closed) == 1);
        CHECK_STATUS(server.close_status, HW_E_CONNECTION_LOST);
        CHECK_TEXT(server.close_text, cases[i].text);
        server_end(&server);
    }
}

/* ---- Configuration ---------------------------------------------------------------------------------------------------------------- */

TEST(what_a_listener_lacks_for_tls_is_told_at_open)
{
    static const struct {
        const char *names[4], *values[4]; /* values: facts, or as they are after "=" */
        hw_status status;
        const char *text;
    } cases[] = {
        {{NULL}, {NULL}, HW_E_CONFLICT, "a listener at a wss URL needs a certificate: set tls.certificate_file or tls.certificate_pem"},
        {{"tls.certificate_file"}, {"=/nonexistent"}, HW_E_VALUE, "could not be read: No such file"},
        {{"tls.certificate_file"}, {"client_certificate"}, HW_E_VALUE, "holds no private key"},
        {{"tls.certificate_file", "tls.key_file"}, {"server_pem", "client_key"}, HW_E_VALUE, "does not fit the certificate"},
        {{"tls.certificate_file", "tls.key_file"}, {"client_pem", "client_locked_key"}, HW_E_VALUE, "is encrypted: set tls.key_password"},
        {{"tls.certificate_file", "tls.ca_file"}, {"server_pem", "empty"}, HW_E_TRUST_STORE, "holds no certificate"},
        {{"tls.certificate_file", "tls.ca_file", "tls.verify"}, {"server_pem", "ca_file", "=false"}, HW_E_CONFLICT, "tls.verify is false"},
        {{"tls.certificate_file", "tls.pins"}, {"server_pem", "server_pin"}, HW_E_CONFLICT, "tls.pins names keys of servers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server server;
        server_init(&server);
        for (int j = 0; cases[i].names[j] != NULL; j++) {
            const char *value = cases[i].values[j];
            server_set(&server, cases[i].names[j], *value == '=' ? value + 1 : server_fact(value));
        }
        hw_error error = NEW_ERROR;
        hw_status status = hw_listener_open(server.config, "wss://127.0.0.1:0", &server.listener, &error);
        if (status != cases[i].status) FAIL("%s, not %s: %s", hw_status_name(status), hw_status_name(cases[i].status), error.message);
        CHECK_CONTAINS(error.message, cases[i].text);
        CHECK(server.listener == NULL);
        server_end(&server);
    }
}
