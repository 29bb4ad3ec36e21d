/* The certificates that a listener asks of its clients, and the sessions that stand for them when a client comes again. */
#include "listener.h"
#include "tls_client.h"

#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

TEST(clients_show_the_certificate_that_is_asked_for)
{
    static const struct {
        const char *authority, *fact, *certificate, *why; /* why: NULL if the client is let in */
    } cases[] = {
        {"tls.ca_file", "ca_file", "client_pem", NULL},
        {"tls.ca_pem", "ca_file", "client_pem", NULL},
        {"tls.ca_dir", "ca_directory", "client_pem", NULL},
        {"tls.ca_file", "ca_file", NULL, "wants a client certificate"},
        {"tls.ca_file", "ca_file", "foreign_pem", "does not accept the certificate"},
    };
    log_start(HW_LOG_DEBUG);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server server;
        secure_init(&server);
        if (strcmp(cases[i].authority, "tls.ca_pem") == 0)
            set_pem(server.config, "tls.ca_pem", server_fact("ca_file"));
        else
            server_set(&server, cases[i].authority, server_fact(cases[i].fact));
        secure_open(&server);
        client *client = plain_client();
        if (cases[i].certificate != NULL) client_set(client, "tls.certificate_file", server_fact(cases[i].certificate));
        if (cases[i].why == NULL) {
            client_connect(client, server.url);
            check_echo(client, "it is me");
        } else {
            client_open(client, server.url);
            const record *failed = client_state(client, HW_STATE_FAILED, 0);
            CHECK_STATUS(failed->event.status, HW_E_TLS);
            CHECK_CONTAINS(failed->text, cases[i].why);
            CHECK(latest_client(&server) == NULL);
        }
        client_free(client);
        server_end(&server);
    }
    AWAIT(log_count("attempt failed: the TLS handshake with the client failed: peer did not return a certificate") == 1);
    AWAIT(log_count("attempt failed: the client's certificate was not accepted: unable to get local issuer certificate") == 1);
}

static int was_asked;

static int note_request(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    (void)ssl, (void)certificate, (void)key;
    was_asked = 1;
    return 0;
}

TEST(no_certificate_is_asked_of_clients_where_no_authority_is_named)
{
    server server;
    secure_start(&server);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_client_cert_cb(context, note_request);
    SSL *ssl = tls_client(context, &server);
    CHECK_EQUAL(SSL_connect(ssl), 1);
    tls_upgrade(ssl);
    AWAIT(counted(&server, &server.opened) == 1);
    CHECK(!was_asked);
    tls_client_free(ssl);
    SSL_CTX_free(context);
    server_end(&server);
}

/* ---- Sessions --------------------------------------------------------------------------------------------------------------------- */

TEST(a_client_that_comes_again_resumes_its_session)
{
    static const char *const versions[] = {"1.2", "1.3"};
    for (int with_certificate = 0; with_certificate < 2; with_certificate++) {
        for (int version = 0; version < 2; version++) {
            server server;
            secure_init(&server);
            server_set(&server, "tls.version_min", versions[version]);
            if (with_certificate) server_set(&server, "tls.ca_file", server_fact("ca_file"));
            secure_open(&server);
            client *client = client_new();
            client_set(client, "ping.interval", "0");
            if (with_certificate) client_set(client, "tls.certificate_file", server_fact("client_pem"));
            client_connect(client, server.url);
            check_echo(client, "once");
            CHECK_STATUS(hw_connection_close(latest_client(&server), 1001, "come again"), HW_OK);
            CHECK_EQUAL(client_event(client, HW_EVENT_OPENED, 1)->event.resumed, 1);
            check_echo(client, "twice");
            AWAIT(counted(&server, &server.opened) == 2);
            CHECK_EQUAL(server.resumed, 1);
            client_free(client);
            server_end(&server);
        }
    }
}

TEST(a_session_does_not_lead_past_another_listeners_authorities)
{
    server open, guarded;
    secure_start(&open);
    secure_init(&guarded);
    server_set(&guarded, "tls.ca_file", server_fact("ca_file"));
    secure_open(&guarded);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    CHECK_EQUAL(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
    SSL *first = tls_client(context, &open);
    CHECK_EQUAL(SSL_connect(first), 1);
    SSL *second = tls_client(context, &guarded);
    CHECK_EQUAL(SSL_set_session(second, SSL_get0_session(first)), 1);
    CHECK(SSL_connect(second) != 1);
    CHECK_EQUAL(SSL_session_reused(second), 0);
    tls_client_free(first);
    tls_client_free(second);
    SSL_CTX_free(context);
    server_end(&guarded);
    server_end(&open);
}

/* A certificate of its own authority that is valid for so many seconds, and its key. */
static X509 *make_certificate(EVP_PKEY *key, long seconds)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"short-lived", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

TEST(a_session_does_not_outlive_the_certificate_that_it_began_with)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key, 4);
    char pem[4096];
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK_EQUAL(PEM_write_bio_X509(bio, certificate), 1);
    int size = BIO_read(bio, pem, sizeof pem);
    BIO_free(bio);
    log_start(HW_LOG_DEBUG);
    server server;
    secure_init(&server);
    /* It may be named itself rather than an authority. */
    CHECK_STATUS(hw_config_set_bytes(server.config, "tls.ca_pem", pem, (size_t)size, NULL), HW_OK);
    secure_open(&server);

    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    CHECK_EQUAL(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
    CHECK_EQUAL(SSL_CTX_use_certificate(context, certificate), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey(context, key), 1);
    SSL *first = tls_client(context, &server);
    CHECK_EQUAL(SSL_connect(first), 1);
    tls_upgrade(first);
    AWAIT(counted(&server, &server.opened) == 1);
    AWAIT(X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0);
    SSL *second = tls_client(context, &server);
    CHECK_EQUAL(SSL_set_session(second, SSL_get0_session(first)), 1);
    SSL_connect(second);
    char answer[256];
    CHECK(SSL_read(second, answer, sizeof answer) <= 0);
    AWAIT(log_count("attempt failed: the client's certificate was not accepted: certificate has expired") == 1);
    CHECK_EQUAL(counted(&server, &server.opened), 1);
    tls_client_free(first);
    tls_client_free(second);
    SSL_CTX_free(context);
    X509_free(certificate);
    EVP_PKEY_free(key);
    server_end(&server);
}
