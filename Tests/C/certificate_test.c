/* Whom the client trusts, and who it says it is: authorities, pins, names, versions of TLS and its own certificate. */
#include "client.h"
#include "tls_server.h"

#include <stdio.h>
#include <string.h>

/* A client that trusts nobody yet. */
static client *client_without_trust(void)
{
    client *client = client_new();
    client_set(client, "tls.ca_file", "");
    return client;
}

/* The client connects, and gets the server's view of the TLS connection. */
static const char *report(client *client, const char *server)
{
    client_open(client, server_url(server, "/tls"));
    return client_message(client, 0)->text;
}

/* The first attempt fails for good, with a sentence that fits into hw_error. */
static const record *check_refused(client *client, const char *url, hw_status status)
{
    client_open(client, url);
    const record *failed = client_state(client, HW_STATE_FAILED, 0);
    CHECK_STATUS(failed->event.status, status);
    CHECK_EQUAL(failed->event.layer, HW_LAYER_TLS);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ATTEMPT_FAILED), 1);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_OPENED), 0);
    CHECK(failed->event.text_size < sizeof((hw_error *)0)->message);
    return failed;
}

/* hw_connection_open itself fails, and its sentence holds both texts. */
static void check_told_at_open(client *client, hw_status status, const char *first, const char *second)
{
    hw_error error = NEW_ERROR;
    hw_connection *connection = NULL;
    hw_status opened = hw_connection_open(client->config, server_url("wss", "/tls"), &connection, &error);
    if (opened != status) FAIL("%s, not %s: %s", hw_status_name(opened), hw_status_name(status), error.message);
    CHECK_CONTAINS(error.message, first);
    CHECK_CONTAINS(error.message, second);
    CHECK(connection == NULL);
    client_free(client);
}

/* OpenSSL says by an alert why the handshake has failed. */
static void serve_nobody(SSL *ssl, int fd, int number, void *context)
{
    (void)fd, (void)number, (void)context;
    CHECK(!tls_server_accept(ssl));
}

/* ---- The server's certificate ------------------------------------------------------------------------------------------------- */

TEST(refused_certificates_say_why)
{
    static const struct {
        const char *server, *why, *advice;
        int code; /* X509_V_ERR_... */
    } cases[] = {
        {"wss_expired", "it expired on ", "the server needs a new one", 10},
        {"wss_wrong_host", "it is for elsewhere.example", "tls.server_name", 62},
        {"wss_unknown_ca", "its issuer is not trusted: ", "tls.ca_file", 20},
        {"wss_self_signed", "it is self-signed", "tls.ca_file", 18},
        {"wss_wrong_purpose", "it is not meant for servers", "", 26},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        char url[64];
        snprintf(url, sizeof url, "wss://localhost:%s/tls", server_fact(cases[i].server));
        const record *failed = check_refused(client, url, HW_E_CERTIFICATE);
        CHECK_EQUAL(failed->event.native_code, cases[i].code);
        CHECK_CONTAINS(failed->text, "'localhost'");
        CHECK_CONTAINS(failed->text, cases[i].why);
        CHECK_CONTAINS(failed->text, cases[i].advice);
        client_free(client);
    }
}

TEST(authorities_come_from_memory_or_a_directory)
{
    client *from_memory = client_without_trust();
    set_pem(from_memory->config, "tls.ca_pem", server_fact("ca_file"));
    CHECK_CONTAINS(report(from_memory, "wss"), "TLS");
    client_free(from_memory);

    client *from_directory = client_without_trust();
    client_set(from_directory, "tls.ca_dir", server_fact("ca_directory"));
    CHECK_CONTAINS(report(from_directory, "wss"), "TLS");
    client_free(from_directory);
}

TEST(bad_trust_stores_are_told_at_open)
{
    static const struct {
        const char *property, *fact, *path, *why;
    } cases[] = {
        {"tls.ca_file", NULL, "/nonexistent/ca.pem", "No such file"},
        {"tls.ca_file", NULL, "/", "directory"},
        {"tls.ca_file", "empty", NULL, "no certificate"},
        {"tls.ca_file", "client_key", NULL, "no certificate"},
        {"tls.ca_file", "broken_pem", NULL, "number 1"},
        {"tls.ca_file", NULL, "/dev/zero", "too large"},
        {"tls.ca_dir", NULL, "/nonexistent", "No such file"},
        {"tls.ca_dir", "ca_file", NULL, "Not a directory"},
        {"tls.ca_dir", NULL, "/proc/self/fd", "no file with certificates"},
        {"tls.ca_pem", NULL, "no PEM", "no certificate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_without_trust();
        const char *value = cases[i].fact ? server_fact(cases[i].fact) : cases[i].path;
        client_set(client, cases[i].property, value);
        check_told_at_open(client, HW_E_TRUST_STORE, cases[i].property, cases[i].why);
    }
}

TEST(server_name_stands_for_the_host)
{
    client *client = client_new();
    client_set(client, "tls.server_name", "elsewhere.example");
    CHECK_CONTAINS(report(client, "wss_wrong_host"), "TLS");
    client_free(client);
}

TEST(unverified_connections_are_warned_of)
{
    client *client = client_without_trust();
    client_set(client, "tls.verify", "false");
    client_open(client, server_url("wss_self_signed", "/drop-once?key=unverified"));
    client_state(client, HW_STATE_CONNECTED, 0);
    client_send(client, "drop me");
    for (size_t epoch = 0; epoch < 2; epoch++) {
        const record *warning = client_event(client, HW_EVENT_WARNING, epoch);
        CHECK_CONTAINS(warning->text, "tls.verify is false");
        CHECK_EQUAL(warning->event.epoch, epoch);
        client_event(client, HW_EVENT_OPENED, epoch);
    }
    CHECK_EQUAL(client_event_count(client, HW_EVENT_WARNING), 2);
    client_free(client);

    struct client *verified = client_connected(server_url("wss", "/echo"));
    CHECK_EQUAL(client_event_count(verified, HW_EVENT_WARNING), 0);
    client_free(verified);
}

/* ---- Pins --------------------------------------------------------------------------------------------------------------------- */

static const char other_pin[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

TEST(pins_of_the_server_or_its_authority_are_enough)
{
    const char *facts[] = {"server_pin", "ca_pin"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        char pins[256];
        snprintf(pins, sizeof pins, "%s, %s", other_pin, server_fact(facts[i]));
        client_set(client, "tls.pins", pins);
        CHECK_CONTAINS(report(client, "wss"), "TLS");
        client_free(client);
    }
}

TEST(wrong_pin_is_refused_for_good_and_tells_the_right_one)
{
    client *client = client_new();
    client_set(client, "tls.pins", other_pin);
    const record *failed = check_refused(client, server_url("wss", "/tls"), HW_E_CERTIFICATE);
    CHECK_CONTAINS(failed->text, server_fact("server_pin"));
    client_free(client);
}

/* Without verification only the server's own key counts: anybody can put an authority's certificate behind his own. */
TEST(pins_hold_without_verification)
{
    client *fitting = client_new();
    client_set(fitting, "tls.verify", "false");
    client_set(fitting, "tls.pins", server_fact("server_pin"));
    CHECK_CONTAINS(report(fitting, "wss"), "TLS");
    CHECK_CONTAINS(client_event(fitting, HW_EVENT_WARNING, 0)->text, "tls.pins");
    client_free(fitting);

    client *authority = client_new();
    client_set(authority, "tls.verify", "false");
    client_set(authority, "tls.pins", server_fact("ca_pin"));
    check_refused(authority, server_url("wss", "/tls"), HW_E_CERTIFICATE);
    client_free(authority);
}

TEST(malformed_pins_are_told_at_open)
{
    client *client = client_new();
    client_set(client, "tls.pins", "sha1/AAAA");
    check_told_at_open(client, HW_E_VALUE, "tls.pins", "sha256/");
}

/* ---- Versions ----------------------------------------------------------------------------------------------------------------- */

TEST(versions_below_the_least_are_refused)
{
    client *modern = client_new();
    CHECK_CONTAINS(report(modern, "wss"), "TLSv1.3");
    client_free(modern);
    client *usual = client_new();
    CHECK_CONTAINS(report(usual, "wss_tls12"), "TLSv1.2");
    client_free(usual);

    const char *servers[] = {"wss_tls12", "wss_tls11"}, *least[] = {"1.3", "1.2"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        client_set(client, "tls.version_min", least[i]);
        client_open(client, server_url(servers[i], "/tls"));
        const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
        CHECK_STATUS(failed->event.status, HW_E_TLS);
        CHECK_CONTAINS(failed->text, "tls.version_min");
        client_free(client);
    }
}

/* Other servers say so. */
TEST(version_refused_by_an_alert_is_explained)
{
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    tls_server *server = tls_server_start(context, serve_nobody, NULL);
    client *client = client_new();
    client_set(client, "tls.version_min", "1.3");
    client_open(client, tls_server_url(server));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_CONTAINS(failed->text, "no TLS from version 1.3 on");
    CHECK_EQUAL(failed->event.retryable, 0);
    client_state(client, HW_STATE_FAILED, 0);
    client_free(client);
    tls_server_stop(server);
}

TEST(port_without_tls_is_guessed)
{
    client *client = client_new();
    char url[64];
    snprintf(url, sizeof url, "wss://localhost:%s/echo", server_fact("aiohttp"));
    client_open(client, url);
    CHECK_CONTAINS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->text, "ws:// URL");
    client_free(client);
}

/* ---- The client's certificate ------------------------------------------------------------------------------------------------- */

TEST(client_certificate_comes_from_files_or_memory)
{
    static const char *cases[][6] = {
        {"tls.certificate_file", "client_pem"},
        {"tls.certificate_file", "client_certificate", "tls.key_file", "client_key"},
        {"tls.certificate_file", "client_certificate", "tls.key_file", "client_locked_key", "tls.key_password", "key_password"},
        {"tls.certificate_pem", "client_pem"},
        {"tls.certificate_pem", "client_certificate", "tls.key_pem", "client_key"},
        {"tls.certificate_file", "client_certificate", "tls.key_pem", "client_locked_key", "tls.key_password", "key_password"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        for (size_t at = 0; at < 6 && cases[i][at] != NULL; at += 2) {
            if (strstr(cases[i][at], "_pem") != NULL)
                set_pem(client->config, cases[i][at], server_fact(cases[i][at + 1]));
            else
                client_set(client, cases[i][at], server_fact(cases[i][at + 1]));
        }
        CHECK_CONTAINS(report(client, "wss_client_certificate"), "client@heartwire.test");
        client_free(client);
    }
}

/* Serves nobody that has no good certificate, and says so by an alert. */
static void check_certificate_demanded(int version, const char *certificate, const char *why)
{
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_load_verify_file(context, server_fact("ca_file"));
    tls_server *server = tls_server_start(context, serve_nobody, NULL);
    client *client = client_new();
    if (certificate != NULL) client_set(client, "tls.certificate_file", certificate);
    const record *failed = check_refused(client, tls_server_url(server), HW_E_TLS);
    CHECK_CONTAINS(failed->text, why);
    CHECK_CONTAINS(failed->text, "tls.certificate_file");
    client_free(client);
    tls_server_stop(server);
}

TEST(server_that_does_not_get_the_certificate_it_wants_is_not_tried_again)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        check_certificate_demanded(versions[i], NULL, "wants a client certificate");
        check_certificate_demanded(versions[i], server_fact("foreign_pem"), "does not accept the certificate");
    }
}

/* asyncio's servers just cut the connection. */
TEST(server_that_cuts_for_want_of_a_certificate_is_explained)
{
    const char *certificates[] = {NULL, "foreign_pem"}, *why[] = {"got none", "may not accept it"};
    for (size_t i = 0; i < 2; i++) {
        client *client = client_new();
        if (certificates[i] != NULL) client_set(client, "tls.certificate_file", server_fact(certificates[i]));
        client_open(client, server_url("wss_client_certificate", "/tls"));
        const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
        CHECK_STATUS(failed->event.status, HW_E_TLS);
        CHECK_EQUAL(failed->event.retryable, 1);
        CHECK_CONTAINS(failed->text, why[i]);
        client_free(client);
    }
}

/* Another origin is told who we are as little as it gets our credentials. */
TEST(client_certificate_is_not_for_servers_redirected_to)
{
    client *client = client_new();
    client_set(client, "redirects.max", "1");
    client_set(client, "tls.certificate_file", server_fact("client_pem"));
    char path[256];
    const char *port = server_fact("wss_client_certificate");
    snprintf(path, sizeof path, "/redirect?code=307&to=wss%%3A%%2F%%2Flocalhost%%3A%s%%2Ftls", port);
    client_open(client, server_url("wss", "%s", path));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_TLS);
    CHECK_CONTAINS(failed->text, "got none");
    client_free(client);
}

TEST(bad_client_certificates_are_told_at_open)
{
    static const struct {
        const char *certificate, *key, *password, *why;
    } cases[] = {
        {"/nonexistent/client.pem", NULL, NULL, "No such file"},
        {"client_key", NULL, NULL, "no certificate"},
        {"broken_pem", NULL, NULL, "number 1"},
        {"client_certificate", NULL, NULL, "no private key"},
        {"client_certificate", "/nonexistent/key.pem", NULL, "No such file"},
        {"client_certificate", "broken_pem", NULL, "no private key"},
        {"client_certificate", "client_locked_key", NULL, "set tls.key_password"},
        {"client_certificate", "client_locked_key", "wrong", "tls.key_password does not open it"},
        {"client_certificate", "server_pem", NULL, "does not fit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client *client = client_new();
        const char *certificate = cases[i].certificate, *key = cases[i].key;
        client_set(client, "tls.certificate_file", certificate[0] == '/' ? certificate : server_fact(certificate));
        if (key != NULL) client_set(client, "tls.key_file", key[0] == '/' ? key : server_fact(key));
        if (cases[i].password != NULL) client_set(client, "tls.key_password", cases[i].password);
        check_told_at_open(client, HW_E_VALUE, key != NULL ? "tls.key_file '" : "tls.certificate_file '", cases[i].why);
    }
}
