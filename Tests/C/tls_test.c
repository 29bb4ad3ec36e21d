/* TLS as no ordinary server speaks it: a server of OpenSSL on memory, so that each record leaves when the test wants it to. */
#include "client.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORDS_MAX = 65536, RECORD_HEAD = 5 };

/* One accepted connection. Bytes pass between the socket and OpenSSL only in receive_records and send_records. */
typedef struct {
    int fd;
    SSL *ssl;
    BIO *in, *out;
} peer;

typedef struct {
    int listener;
    SSL_CTX *context;
    sem_t may_go_on;
} server;

/* Waits for bytes from the client; 0 at their end. */
static int receive_records(peer *peer)
{
    char bytes[16384];
    ssize_t count = recv(peer->fd, bytes, sizeof bytes, 0);
    return count > 0 && BIO_write(peer->in, bytes, (int)count) == count;
}

/* Takes what OpenSSL wants to send. */
static size_t take_records(peer *peer, unsigned char *records)
{
    int count = BIO_read(peer->out, records, RECORDS_MAX);
    CHECK(count < RECORDS_MAX);
    return count > 0 ? (size_t)count : 0;
}

static void send_bytes(peer *peer, const unsigned char *bytes, size_t size)
{
    CHECK_EQUAL(send(peer->fd, bytes, size, MSG_NOSIGNAL), size);
}

static void send_records(peer *peer)
{
    static unsigned char records[RECORDS_MAX];
    size_t size = take_records(peer, records);
    if (size > 0) send_bytes(peer, records, size);
}

/* Reads at least one byte of what the client says, waiting for it; 0 at its end. */
static int read_some(peer *peer, char *text, size_t capacity)
{
    int count;
    while ((count = SSL_read(peer->ssl, text, (int)capacity)) <= 0)
        if (!receive_records(peer)) return 0;
    return count;
}

static void write_frame(peer *peer, const char *text)
{
    unsigned char frame[64] = {0x80 | HW_TEXT, (unsigned char)strlen(text)};
    memcpy(frame + 2, text, strlen(text));
    CHECK(SSL_write(peer->ssl, frame, 2 + (int)strlen(text)) > 0);
}

static void shake_hands(peer *peer)
{
    while (SSL_do_handshake(peer->ssl) != 1) {
        send_records(peer);
        CHECK(receive_records(peer));
    }
    char request[4096] = {0};
    for (size_t size = 0; strstr(request, "\r\n\r\n") == NULL;) size += (size_t)read_some(peer, request + size, sizeof request - 1 - size);
    const char *key = strstr(request, "Sec-WebSocket-Key: ");
    CHECK(key != NULL);
    char proof[128], answer[256];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
    snprintf(proof, sizeof proof, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    SHA1((unsigned char *)proof, strlen(proof), digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Hello\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    CHECK(SSL_write(peer->ssl, answer, (int)strlen(answer)) > 0);
    send_records(peer);
}

/* Makes a session ticket larger than a record. */
static int enlarge_ticket(SSL *ssl, void *context)
{
    static char data[3000];
    (void)context;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, sizeof data);
}

static SSL_TICKET_RETURN ignore_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t size, SSL_TICKET_STATUS status,
                                       void *context)
{
    (void)ssl, (void)session, (void)name, (void)size, (void)status, (void)context;
    return SSL_TICKET_RETURN_IGNORE;
}

/* Sends a message and the first part of a session ticket in one segment, later the ticket's rest; then answers the client's message. */
static void *serve_broken_ticket(void *context)
{
    static unsigned char records[RECORDS_MAX];
    server *server = context;
    peer peer = {.fd = accept(server->listener, NULL, NULL), .ssl = SSL_new(server->context)};
    peer.in = BIO_new(BIO_s_mem());
    peer.out = BIO_new(BIO_s_mem());
    CHECK(peer.fd >= 0);
    SSL_set_bio(peer.ssl, peer.in, peer.out);
    SSL_set_accept_state(peer.ssl);
    shake_hands(&peer);

    write_frame(&peer, "a ticket follows");
    CHECK_EQUAL(SSL_new_session_ticket(peer.ssl), 1);
    CHECK_EQUAL(SSL_do_handshake(peer.ssl), 1);
    size_t size = take_records(&peer, records), first = 0;
    for (int i = 0; i < 2; i++) first += RECORD_HEAD + (size_t)(records[first + 3] << 8 | records[first + 4]);
    CHECK(first < size);
    send_bytes(&peer, records, first);
    sem_wait(&server->may_go_on);
    send_bytes(&peer, records + first, size - first);

    char frame[64];
    CHECK(read_some(&peer, frame, sizeof frame) > 0);
    write_frame(&peer, "thank you");
    send_records(&peer);
    while (receive_records(&peer)) continue;
    SSL_free(peer.ssl);
    close(peer.fd);
    return NULL;
}

TEST(write_that_waits_for_reading_rests_and_goes_on)
{
    server server = {.listener = socket(AF_INET, SOCK_STREAM, 0), .context = SSL_CTX_new(TLS_server_method())};
    sem_init(&server.may_go_on, 0, 0);
    CHECK_EQUAL(SSL_CTX_use_certificate_chain_file(server.context, server_fact("server_pem")), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey_file(server.context, server_fact("server_pem"), SSL_FILETYPE_PEM), 1);
    /* No tickets but the one that the test asks for, in records of the smallest size. */
    SSL_CTX_set_num_tickets(server.context, 0);
    SSL_CTX_set_max_send_fragment(server.context, 512);
    SSL_CTX_set_session_ticket_cb(server.context, enlarge_ticket, ignore_ticket, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_size = sizeof address;
    CHECK_EQUAL(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQUAL(listen(server.listener, 1), 0);
    getsockname(server.listener, (struct sockaddr *)&address, &address_size);
    pthread_t serving;
    CHECK_EQUAL(pthread_create(&serving, NULL, serve_broken_ticket, &server), 0);

    client *client = client_new();
    char url[64];
    snprintf(url, sizeof url, "wss://127.0.0.1:%d/", ntohs(address.sin_port));
    client_open(client, url);
    CHECK_TEXT(client_message(client, 0)->text, "a ticket follows");
    client_send(client, "hello");
    check_threads_rest();
    CHECK_EQUAL(client_metrics(client).messages_sent, 0);
    sem_post(&server.may_go_on);
    CHECK_TEXT(client_message(client, 1)->text, "thank you");
    CHECK_EQUAL(client_metrics(client).messages_sent, 1);

    client_free(client);
    pthread_join(serving, NULL);
    close(server.listener);
    SSL_CTX_free(server.context);
    sem_destroy(&server.may_go_on);
}
