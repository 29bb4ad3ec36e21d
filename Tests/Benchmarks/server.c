/*
 * The server that every benchmark measures against: WebSocket over plain TCP and over TLS; a thread a connection.
 *
 * Usage: server PEM TEXTS SIZE   prints {"ws": port, "wss": port} when ready and ends with its standard input.
 *
 * /flood?n=N&size=S          sends N text messages of S bytes as fast as the socket takes them, then waits for the close.
 * /deflated?n=N              sends N text messages of TEXTS, a file of texts of SIZE bytes, in the same way, but compressed.
 * /ticker?n=N                sends N tickers of 300 bytes, no heartbeats of any service, in the same way.
 * /request?n=N               sends N of Deribit's heartbeat requests, padded to 300 bytes, and reads the answers meanwhile.
 * /take?n=N                  receives N messages, then sends how many bytes of payload they had as they came. Plain only.
 * /beat?interval_ms=I&n=N    sends N pings, one each I ms, then one text message: how they were answered and what pings the client sent.
 * /timed                     sends how many ns passed from accepting to having answered the handshake, and cuts at the client's next frame.
 * anything else              waits for the close.
 *
 * takeover=0 or 1 in the query agrees on permessage-deflate, without or with context takeover in both directions.
 */
#define _GNU_SOURCE

#include "deflate.h"
#include "handshake.h"
#include "listener.h"
#include "texts.h"
#include <poll.h>
#include <signal.h>

static struct texts texts;

static const char ticker[] =
    "{\"channel\":\"ticker\",\"type\":\"update\",\"symbol\":\"BTC-USDT\",\"data\":[{\"bid\":\"64215.10\",\"bid_qty\":\"0.84120000\","
    "\"ask\":\"64215.20\",\"ask_qty\":\"2.10750000\",\"last\":\"64215.10\",\"volume\":\"3127.55830000\",\"vwap\":\"63988.41\","
    "\"low\":\"62810.00\",\"high\":\"65120.70\",\"change\":\"812.60\"}],\"ts\":1700000000123,\"seq\":918273645}";
static const char request[] = "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"test_request\"}}";

static uint64_t now_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

/* ---- The works ---------------------------------------------------------------------------------------------------------------- */

static void wait_for_close(struct peer *peer)
{
    struct frame frame;
    while (receive_frame(peer, &frame)) {
        if (frame.opcode == OPCODE_PING)
            send_control(peer, OPCODE_PONG, frame.payload, frame.size);
        if (frame.opcode == OPCODE_CLOSE) {
            send_control(peer, OPCODE_CLOSE, frame.payload, frame.size);
            return;
        }
    }
}

/* Reads what the client has sent by now. */
static void skip_frames(struct peer *peer)
{
    struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
    struct header header;
    while (poll(&ready, 1, 0) > 0 && receive_header(peer, &header) && discard(peer, header.size))
        continue;
}

/*
 * Sends the same text again and again. Frames are laid out once and sent many to a write, so that the server costs far less than any client.
 */
static void flood(struct peer *peer, long count, const char *text, size_t size)
{
    unsigned char header[HEADER_SIZE_MAX];
    size_t header_size = put_header(header, OPCODE_TEXT, size), frame_size = header_size + size;
    long per_write = (long)(262144 / frame_size) + 1;
    unsigned char *batch = malloc(frame_size * (size_t)per_write);
    for (long i = 0; i < per_write; i++) {
        memcpy(batch + (size_t)i * frame_size, header, header_size);
        memcpy(batch + (size_t)i * frame_size + header_size, text, size);
    }
    while (count > 0) {
        long now = count < per_write ? count : per_write;
        if (!send_all(peer, batch, (size_t)now * frame_size))
            break;
        count -= now;
        /* Not after the last, which the client may answer with its close frame. */
        if (count > 0 && peer->tls == NULL)
            skip_frames(peer);
    }
    free(batch);
    wait_for_close(peer);
}

static void flood_xs(struct peer *peer, long count, size_t size)
{
    char *text = malloc(size);
    memset(text, 'x', size);
    flood(peer, count, text, size);
    free(text);
}

/* JSON of 300 bytes: blanks may follow it. */
static void flood_json(struct peer *peer, long count, const char *json)
{
    char text[301];
    snprintf(text, sizeof text, "%-300s", json);
    flood(peer, count, text, 300);
}

/* Everything is compressed before the first byte is sent, so that the client never waits for it between messages. */
static void flood_deflated(struct peer *peer, long count, int takeover)
{
    unsigned char *frames = malloc((size_t)count * (HEADER_SIZE_MAX + deflated_size_max(texts.size)));
    unsigned char *message = malloc(deflated_size_max(texts.size)), *end = frames;
    z_stream stream;
    start_deflate(&stream);
    for (long i = 0; i < count; i++) {
        size_t size = deflate_message(&stream, text_at(&texts, (size_t)i), texts.size, takeover, message);
        unsigned char *frame = end;
        end += put_header(frame, OPCODE_TEXT, size);
        frame[0] |= 0x40;
        memcpy(end, message, size);
        end += size;
    }
    deflateEnd(&stream);
    send_all(peer, frames, (size_t)(end - frames));
    free(message);
    free(frames);
    wait_for_close(peer);
}

/* Unread payloads cost the server far less than sending them costs any client. */
static void take(struct peer *peer, long count)
{
    uint64_t bytes = 0;
    while (count > 0) {
        struct header header;
        if (!receive_header(peer, &header) || header.opcode == OPCODE_CLOSE || !discard(peer, header.size))
            return;
        if (header.opcode > OPCODE_CLOSE)
            continue;
        bytes += header.size;
        count -= header.is_final;
    }
    char report[32];
    int size = snprintf(report, sizeof report, "%llu", (unsigned long long)bytes);
    send_control(peer, OPCODE_TEXT, report, (size_t)size);
    wait_for_close(peer);
}

/* How the client kept its heart beating: pings of ours that it answered, and pings of its own. */
struct heartbeats {
    long answered, own;
    uint64_t answer_ns_sum, answer_ns_max, own_gap_ns_max, own_last_ns;
};

static int take_heartbeat(struct peer *peer, struct heartbeats *beats)
{
    struct frame frame;
    if (!receive_frame(peer, &frame))
        return 0;
    uint64_t now = now_ns(), sent;
    if (frame.opcode == OPCODE_PONG && frame.size == sizeof sent) {
        memcpy(&sent, frame.payload, sizeof sent);
        beats->answered++;
        beats->answer_ns_sum += now - sent;
        beats->answer_ns_max = now - sent > beats->answer_ns_max ? now - sent : beats->answer_ns_max;
    }
    if (frame.opcode == OPCODE_PING) {
        if (beats->own > 0 && now - beats->own_last_ns > beats->own_gap_ns_max)
            beats->own_gap_ns_max = now - beats->own_last_ns;
        beats->own++;
        beats->own_last_ns = now;
        send_control(peer, OPCODE_PONG, frame.payload, frame.size);
    }
    return frame.opcode != OPCODE_CLOSE;
}

static void beat(struct peer *peer, long interval_ms, long count)
{
    struct heartbeats beats = {0};
    uint64_t next = now_ns();
    /* One interval more than there are pings gives the last its time to be answered. */
    for (long sent = 0; sent <= count;) {
        uint64_t now = now_ns();
        if (now >= next) {
            if (sent++ < count)
                send_control(peer, OPCODE_PING, &now, sizeof now);
            next += (uint64_t)interval_ms * 1000000u;
            continue;
        }
        struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
        if (poll(&ready, 1, (int)((next - now) / 1000000u) + 1) > 0 && !take_heartbeat(peer, &beats))
            return;
    }
    char report[CONTROL_SIZE_MAX + 1];
    double answer_mean_us = beats.answered > 0 ? (double)beats.answer_ns_sum / 1e3 / (double)beats.answered : 0;
    const char *form = "{\"sent\":%ld,\"answered\":%ld,\"mean_us\":%.0f,\"max_us\":%.0f,\"own\":%ld,\"own_gap_us\":%.0f}";
    int size = snprintf(report, sizeof report, form, count, beats.answered, answer_mean_us, (double)beats.answer_ns_max / 1e3, beats.own,
                        (double)beats.own_gap_ns_max / 1e3);
    send_control(peer, OPCODE_TEXT, report, (size_t)size);
    wait_for_close(peer);
}

static void time_and_cut(struct peer *peer)
{
    char report[32];
    struct frame frame;
    int size = snprintf(report, sizeof report, "%llu", (unsigned long long)(now_ns() - peer->accepted_ns));
    send_control(peer, OPCODE_TEXT, report, (size_t)size);
    receive_frame(peer, &frame);
}

static void serve(struct peer *peer)
{
    char head[8192];
    if (peer->tls != NULL && SSL_accept(peer->tls) <= 0)
        return;
    if (!receive_head(peer, head, sizeof head) || !answer_handshake(peer, head))
        return;
    if (strncmp(head, "GET /flood", 10) == 0)
        flood_xs(peer, query_number(head, "n=", 1), (size_t)query_number(head, "size=", 64));
    else if (strncmp(head, "GET /ticker", 11) == 0)
        flood_json(peer, query_number(head, "n=", 1), ticker);
    else if (strncmp(head, "GET /request", 12) == 0)
        flood_json(peer, query_number(head, "n=", 1), request);
    else if (strncmp(head, "GET /deflated", 13) == 0)
        flood_deflated(peer, query_number(head, "n=", 1), (int)query_number(head, "takeover=", 0));
    else if (strncmp(head, "GET /take", 9) == 0)
        take(peer, query_number(head, "n=", 1));
    else if (strncmp(head, "GET /beat", 9) == 0)
        beat(peer, query_number(head, "interval_ms=", 100), query_number(head, "n=", 100));
    else if (strncmp(head, "GET /timed", 10) == 0)
        time_and_cut(peer);
    else
        wait_for_close(peer);
}

static SSL_CTX *load_certificate(const char *path)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls, path) != 1 || SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) != 1)
        exit(1);
    return tls;
}

int main(int argc, char **argv)
{
    static struct listener plain = {.serve = serve}, secure = {.serve = serve};
    if (argc != 4)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    texts = load_texts(argv[2], strtoul(argv[3], NULL, 10));
    secure.tls = load_certificate(argv[1]);
    int ws = start_listener(&plain), wss = start_listener(&secure);
    printf("{\"ws\": %d, \"wss\": %d}\n", ws, wss);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}
