/* permessage-deflate (RFC 7692) against servers that nobody here wrote, and against one that gets it wrong on purpose. */
#include "client.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int zlib_is_missing;

/* Stands before the system's for the library too: a machine without zlib. */
void *dlopen(const char *name, int mode)
{
    void *(*next)(const char *, int);
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    return zlib_is_missing && name != NULL && strncmp(name, "libz", 4) == 0 ? NULL : next(name, mode);
}

static client *compressing(const char *url)
{
    client *client = client_new();
    client_set(client, "compression", "on");
    client_set(client, "compression.threshold_bytes", "16");
    client_open(client, url);
    return client;
}

/* Sends texts that have much in common, a large one, a small one and a binary one, and expects each back. */
static void echo_compressed(client *client)
{
    enum { TEXTS = 50, LARGE = 300000 };
    CHECK(client_event(client, HW_EVENT_OPENED, 0)->event.compressed);
    char text[200];
    size_t sent = 0;
    for (int i = 0; i < TEXTS; i++) {
        const char *format = "{\"symbol\":\"BTC-PERPETUAL\",\"price\":%d,\"side\":\"buy\",\"kind\":\"trade\"}";
        sent += (size_t)snprintf(text, sizeof text, format, 60000 + i);
        client_send(client, text);
    }
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "{\"symbol\":\"BTC-PERPETUAL\",\"price\":%d,\"side\":\"buy\",\"kind\":\"trade\"}", 60000 + i);
        CHECK_TEXT(client_message(client, (size_t)i)->text, text);
    }
    hw_metrics metrics = client_metrics(client);
    CHECK(metrics.bytes_sent < sent * 3 / 4);
    CHECK(metrics.bytes_received < sent * 3 / 4);

    char *large = malloc(LARGE);
    for (int i = 0; i < LARGE; i++) large[i] = (char)(i * i >> 5);
    CHECK_STATUS(hw_connection_send(client->connection, HW_BINARY, large, LARGE, NULL, NULL), HW_OK);
    client_send(client, "small");
    const record *echo = client_message(client, TEXTS);
    CHECK_EQUAL(echo->message.kind, HW_BINARY);
    CHECK_EQUAL(echo->message.size, LARGE);
    CHECK(memcmp(echo->message.data, large, LARGE) == 0);
    CHECK_TEXT(client_message(client, TEXTS + 1)->text, "small");
    free(large);
    client_free(client);
}

TEST(echo_compressed_over_ws)
{
    echo_compressed(compressing(server_url("ws", "/echo")));
}

TEST(echo_compressed_over_wss)
{
    echo_compressed(compressing(server_url("wss", "/echo")));
}

TEST(echo_compressed_in_small_windows_without_context)
{
    client *client = client_new();
    client_set(client, "compression", "on");
    client_set(client, "compression.client_context_takeover", "false");
    client_set(client, "compression.server_context_takeover", "false");
    client_set(client, "compression.client_window_bits", "9");
    client_set(client, "compression.server_window_bits", "10");
    client_set(client, "compression.memory_level", "1");
    client_open(client, server_url("ws", "/echo"));
    CHECK(client_event(client, HW_EVENT_OPENED, 0)->event.compressed);
    char text[5000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i * i % 7);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < 3; i++) {
        client_send(client, text);
        CHECK_TEXT(client_message(client, i)->text, text);
    }
    client_free(client);
}

TEST(compression_is_off_unless_asked_for)
{
    client *client = client_connected(server_url("ws", "/echo"));
    CHECK(!client_event(client, HW_EVENT_OPENED, 0)->event.compressed);
    client_free(client);
}

TEST(without_zlib_nothing_is_offered_and_a_warning_says_so)
{
    zlib_is_missing = 1;
    client *client = compressing(server_url("ws", "/echo"));
    CHECK_CONTAINS(client_event(client, HW_EVENT_WARNING, 0)->text, "libz.so.1");
    CHECK(!client_event(client, HW_EVENT_OPENED, 0)->event.compressed);
    client_send(client, "a text that is longer than the threshold");
    CHECK_TEXT(client_message(client, 0)->text, "a text that is longer than the threshold");
    client_free(client);
}

/* aiohttp is told not to compress: it leaves the offer unanswered. */
TEST(a_server_that_declines_is_spoken_to_uncompressed)
{
    client *client = compressing(server_url("aiohttp", "/echo"));
    CHECK(!client_event(client, HW_EVENT_OPENED, 0)->event.compressed);
    client_send(client, "a text that is longer than the threshold");
    CHECK_TEXT(client_message(client, 0)->text, "a text that is longer than the threshold");
    client_free(client);
}

/* The streams of a connection are its own: after a reconnection both ends begin with empty windows. */
TEST(compression_starts_anew_after_a_reconnection)
{
    client *client = compressing(server_url("ws", "/drop-once?key=compressed"));
    static const char text[] = "the same text again, the same text again, the same text again";
    client_send(client, text);
    client_state(client, HW_STATE_CONNECTED, 1);
    for (size_t i = 0; i < 3; i++) {
        client_send(client, text);
        CHECK_TEXT(client_message(client, i)->text, text);
    }
    client_free(client);
}

TEST(answers_that_fit_no_offer_are_refused)
{
    static const char *const answers[] = {
        "permessage-deflate;%20server_max_window_bits=7",  "permessage-deflate;%20server_max_window_bits=1000",
        "permessage-deflate;%20client_max_window_bits=16", "permessage-deflate;%20unknown",
        "permessage-deflate,%20permessage-deflate",        "x-webkit-deflate-frame",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        client *client = compressing(server_url("raw", "/deflate-answer?answer=%s", answers[i]));
        const record *failed = client_state(client, HW_STATE_FAILED, 0);
        CHECK_EQUAL(failed->event.status, HW_E_HANDSHAKE);
        CHECK_EQUAL(client_message_count(client), 0);
        client_free(client);
    }
}

TEST(the_smallest_window_is_agreed_on_and_read)
{
    client *client = compressing(
        server_url("raw", "/deflate-answer?answer=permessage-deflate;%%20client_max_window_bits=8;%%20server_max_window_bits=\"15\""));
    CHECK_TEXT(client_message(client, 0)->text, "Hello");
    client_free(client);
}

TEST(an_extension_that_was_not_offered_is_refused)
{
    client *client = client_new();
    client_open(client, server_url("raw", "/deflate-answer?answer=permessage-deflate"));
    CHECK_EQUAL(client_state(client, HW_STATE_FAILED, 0)->event.status, HW_E_HANDSHAKE);
    client_free(client);
}

TEST(a_decompression_bomb_ends_the_connection_at_the_limit)
{
    client *client = client_new();
    client_set(client, "compression", "on");
    client_set(client, "message.bytes_max", "1MiB");
    client_set(client, "reconnect.enabled", "false");
    client_open(client, server_url("raw", "/deflate-bomb?size=%d", 256 << 20));
    const record *closed = client_event(client, HW_EVENT_CLOSED, 0);
    CHECK_EQUAL(closed->event.status, HW_E_MESSAGE_TOO_LARGE);
    CHECK_EQUAL(closed->event.close_code, 1009);
    CHECK_EQUAL(client_message_count(client), 0);
    client_free(client);
}
