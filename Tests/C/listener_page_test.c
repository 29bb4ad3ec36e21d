/* What a listener answers to requests for pages, beside its clients: metrics and health. */
#include "listener.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

enum { PAGE_MAX = 4 << 20 };

static char page[PAGE_MAX];

/* The library's clients get sockets that hold little on their way, or the kernel would take any page at once. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    int small = 4096;
    if (level == IPPROTO_TCP && name == TCP_NODELAY) syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}

/* The whole answer to a request, which is what the socket gets up to its end. */
static const char *answer_to(server *server, const char *text)
{
    drain(silent_socket(server, text), page, sizeof page);
    return page;
}

/* The body of an answer, which must be as long as the head says. */
static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n"), *length = strstr(answer, "\r\nContent-Length: ");
    if (end == NULL || length == NULL || length > end) FAIL("no whole answer: %.200s", answer);
    CHECK_EQUAL(strlen(end + 4), atoll(length + 18));
    return end + 4;
}

static void server_with(server *server, const char *property)
{
    server_init(server);
    server_set(server, property, "true");
}

/* Whoever asks again and again gets the same text, which is written anew about once a second, however much has happened. */
TEST(metrics_are_not_written_anew_for_everybody)
{
    static char before[PAGE_MAX];
    server server;
    server_with(&server, "listener.metrics");
    server_set(&server, "metrics.name", "often asked");
    server_open(&server, "ws://127.0.0.1:0");
    int fds[1000], count = 0, is_same;
    do {
        CHECK(count < 1000);
        strcpy(before, body_of(answer_to(&server, GET("/metrics"))));
        fds[count++] = silent_socket(&server, request);
        AWAIT(counted(&server, &server.opened) == count);
        is_same = strcmp(body_of(answer_to(&server, GET("/metrics"))), before) == 0;
    } while (!is_same);
    char accepted[64];
    snprintf(accepted, sizeof accepted, "accepted_total{listener=\"often asked\"} %d\n", count);
    AWAIT(strstr(answer_to(&server, GET("/metrics")), accepted) != NULL);
    for (int i = 0; i < count; i++) close(fds[i]);
    server_end(&server);
}

TEST(metrics_and_health_are_answered)
{
    server server;
    server_with(&server, "listener.metrics");
    server_set(&server, "metrics.name", "feed");
    server_open(&server, "ws://127.0.0.1:0");
    CHECK_CONTAINS(answer_to(&server, GET("/metrics")), "HTTP/1.1 200 OK\r\nConnection: close\r\n");
    CHECK_CONTAINS(page, "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n");
    CHECK_TEXT(body_of(page) + strlen(body_of(page)) - 6, "# EOF\n");
    CHECK_CONTAINS(page, "\nheartwire_listener_clients{listener=\"feed\"} 0\n");
    body_of(answer_to(&server, GET("/metrics?from=here#there")));
    body_of(answer_to(&server, "GET http://localhost/metrics?x HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK_CONTAINS(page, "# EOF\n");
    CHECK_CONTAINS(answer_to(&server, GET("/healthz")), "HTTP/1.1 200 ");
    CHECK_TEXT(body_of(page), "ok\n");
    CHECK_CONTAINS(answer_to(&server, "GET /healthz?deep=1 HTTP/1.0\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 200 ");
    CHECK_CONTAINS(answer_to(&server, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 200 ");
    CHECK_CONTAINS(page, "\r\nContent-Length: 3\r\n\r\n");
    CHECK(strstr(page, "ok\n") == NULL);
    CHECK(latest_client(&server) == NULL);
    server_end(&server);
}

TEST(there_are_no_pages_unless_they_are_asked_for)
{
    server server;
    server_start(&server);
    CHECK_CONTAINS(answer_to(&server, GET("/metrics")), "HTTP/1.1 426 ");
    CHECK_CONTAINS(answer_to(&server, GET("/healthz")), "HTTP/1.1 426 ");
    CHECK_CONTAINS(answer_to(&server, GET("/monitor")), "HTTP/1.1 426 ");
    server_end(&server);
}

TEST(what_is_no_request_for_a_page_gets_none)
{
    server server;
    server_with(&server, "listener.metrics");
    server_open(&server, "ws://127.0.0.1:0");
    const struct {
        const char *request, *status;
    } cases[] = {
        {GET("/"), "426"},
        {GET("/metrics/"), "426"},
        {GET("/Metrics"), "426"},
        {GET("/metricsx"), "426"},
        {GET("/monitor"), "426"},
        {"POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "405"},
        {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "405"},
        {"OPTIONS * HTTP/1.0\r\nHost: h\r\n\r\n", "505"},
        {"GET /metrics HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
        {"GET /metrics HTTP/1.1\r\n\r\n", "400"},
        {"GET /metrics HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "400"},
        {"GET /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "400"},
        {"GET /metrics HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"GET /metrics HTTP/1.1\nHost: h\n\n", "400"},
        {"GET /metrics HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "426"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "HTTP/1.1 %s ", cases[i].status);
        if (strncmp(answer_to(&server, cases[i].request), expected, strlen(expected)) != 0) FAIL("case %zu: %.60s", i, page);
        CHECK(strstr(page, "# EOF") == NULL);
    }
    CHECK_CONTAINS(answer_to(&server, GET("/metrics")), ",reason=\"request\"} 15\n");
    CHECK(latest_client(&server) == NULL);
    server_end(&server);
}

TEST(what_follows_a_request_for_a_page_is_not_answered)
{
    server server;
    server_with(&server, "listener.metrics");
    server_open(&server, "ws://127.0.0.1:0");
    CHECK_TEXT(body_of(answer_to(&server, GET("/healthz") GET("/metrics") "\x01\x02garbage")), "ok\n");
    int fd = silent_socket(&server, "GET /healthz HT");
    CHECK(send(fd, "TP/1.1\r\nHost: h\r\n\r\n", 19, 0) == 19);
    drain(fd, page, sizeof page);
    CHECK_TEXT(body_of(page), "ok\n");
    fd = silent_socket(&server, GET("/healthz"));
    shutdown(fd, SHUT_WR);
    drain(fd, page, sizeof page);
    CHECK_TEXT(body_of(page), "ok\n");
    server_end(&server);
}

/* Makes the metrics long: a hundred names of a hundred letters. */
static void open_many_names(void)
{
    for (int i = 0; i < 99; i++) {
        char name[128];
        snprintf(name, sizeof name, "%0100d", i);
        client *client = plain_client();
        client_set(client, "metrics.name", name);
        client_set(client, "circuit.failures_max", "0");
        client_open(client, "ws://127.0.0.1:1");
        client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
        client_free(client);
    }
}

/* A socket that takes little at a time, and has asked for the metrics. */
static int slow_socket(server *server)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), size = 4096;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    connect_socket(fd, server);
    CHECK(send(fd, GET("/metrics"), strlen(GET("/metrics")), 0) > 0);
    return fd;
}

/* It has time now: all that it still gets. */
static size_t drain_slow(int fd)
{
    int size = 1 << 20;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    return drain(fd, page, sizeof page);
}

TEST(whoever_takes_a_page_slowly_keeps_nobody_waiting)
{
    open_many_names();
    server server;
    server_with(&server, "listener.metrics");
    server_open(&server, "ws://127.0.0.1:0");
    int slow = slow_socket(&server), half = slow_socket(&server);
    shutdown(half, SHUT_WR);
    client *client = plain_client();
    client_connect(client, server.url);
    client_send(client, "hello");
    client_message(client, 0);
    CHECK_TEXT(body_of(answer_to(&server, GET("/healthz"))), "ok\n");
    size_t whole = drain_slow(slow);
    CHECK(whole > 800000);
    CHECK_CONTAINS(body_of(page), "# EOF\n");
    drain_slow(half);
    CHECK_CONTAINS(body_of(page), "# EOF\n");
    client_free(client);
    server_end(&server);
}

TEST(a_page_is_taken_within_the_time_or_cut_off)
{
    open_many_names();
    server server;
    server_with(&server, "listener.metrics");
    server_set(&server, "connect.timeout", "300ms");
    server_set(&server, "listener.connections_max", "1");
    server_open(&server, "ws://127.0.0.1:0");
    int slow = slow_socket(&server);
    /* It counts as a client as long as it is there. */
    for (test_patience patience = test_patience_start(); strstr(answer_to(&server, GET("/healthz")), "HTTP/1.1 200 ") == NULL;) {
        CHECK_CONTAINS(page, "HTTP/1.1 503 ");
        if (!test_patience_left(&patience)) FAIL("never cut off");
    }
    size_t size = drain_slow(slow);
    CHECK(size > 0 && strstr(page, "# EOF") == NULL);
    server_end(&server);
}

TEST(many_may_ask_at_once)
{
    enum { COUNT = 100 };
    server server;
    server_with(&server, "listener.metrics");
    server_open(&server, "ws://127.0.0.1:0");
    int sockets[COUNT];
    for (int i = 0; i < COUNT; i++) sockets[i] = silent_socket(&server, i % 2 ? GET("/metrics") : GET("/healthz"));
    for (int i = 0; i < COUNT; i++) {
        drain(sockets[i], page, sizeof page);
        CHECK_CONTAINS(body_of(page), i % 2 ? "# EOF\n" : "ok\n");
    }
    CHECK(latest_client(&server) == NULL);
    server_end(&server);
}

TEST(listeners_are_counted)
{
    server server;
    server_with(&server, "listener.metrics");
    server_set(&server, "listener.origins", "https://a.example");
    server_set(&server, "listener.connections_max", "3");
    server_set(&server, "ping.interval", "50ms");
    server_set(&server, "ping.timeout", "50ms");
    server_set(&server, "close.timeout", "100ms");
    server_open(&server, "ws://127.0.0.1:0");
    client *client = plain_client(), *foreign = plain_client();
    client_set(client, "metrics.name", "other end");
    client_set(foreign, "metrics.name", "other end");
    client_connect(client, server.url);
    CHECK_STATUS(hw_config_add_header(foreign->config, "Origin", "https://b.example", NULL), HW_OK);
    client_open(foreign, server.url);
    CHECK_EQUAL(client_event(foreign, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, 403);
    client_free(foreign);
    close(silent_socket(&server, "GET / HT"));
    int silent = silent_socket(&server, request);
    AWAIT(counted(&server, &server.closed) == 1);
    close(silent);
    uint64_t reached = 0;
    CHECK_STATUS(hw_listener_broadcast(server.listener, NULL, HW_TEXT, "x", 1, &reached), HW_OK);
    CHECK_EQUAL(reached, 1);

    char expected[10][96];
    const char *formats[] = {
        "accepted_total{listener=\"127.0.0.1:%u\"} 2",
        "timed_out_total{listener=\"127.0.0.1:%u\"} 1",
        "broadcasts_total{listener=\"127.0.0.1:%u\"} 1",
        "broadcast_deliveries_total{listener=\"127.0.0.1:%u\"} 1",
        "broadcast_left_out_total{listener=\"127.0.0.1:%u\"} 0",
        "refused_total{listener=\"127.0.0.1:%u\",reason=\"full\"} 0",
        "refused_total{listener=\"127.0.0.1:%u\",reason=\"request\"} 0",
        "refused_total{listener=\"127.0.0.1:%u\",reason=\"origin\"} 1",
        "refused_total{listener=\"127.0.0.1:%u\",reason=\"unfinished\"} 1",
        "clients{listener=\"127.0.0.1:%u\"} 1",
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) snprintf(expected[i], sizeof expected[i], formats[i], server.port);
    AWAIT(strstr(answer_to(&server, GET("/metrics")), expected[8]) != NULL && strstr(page, expected[9]) != NULL);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) CHECK_CONTAINS(page, expected[i]);
    /* Clients count under the port that was found, and neither pages nor what was no request count among them. */
    snprintf(expected[0], sizeof expected[0], "heartwire_connections{connection=\"127.0.0.1:%u\",state=\"connected\"} 1\n", server.port);
    CHECK_CONTAINS(page, expected[0]);
    CHECK(strstr(page, "127.0.0.1:0\"") == NULL);
    client_free(client);
    server_end(&server);
}

TEST(too_many_clients_and_what_the_host_refuses_are_counted)
{
    server server;
    server_with(&server, "listener.metrics");
    server_set(&server, "listener.connections_max", "1");
    CHECK_STATUS(hw_config_before_accept(server.config, NULL, NULL), HW_OK);
    server_open(&server, "ws://127.0.0.1:0");
    client *first = plain_client(), *second = plain_client();
    client_open(first, server.url);
    uint64_t attempt_id;
    AWAIT((attempt_id = take_attempt(&server)) > 0);
    client_open(second, server.url);
    CHECK_EQUAL(client_event(second, HW_EVENT_ATTEMPT_FAILED, 0)->event.http_status, 503);
    CHECK_STATUS(hw_connection_accept(latest_client(&server), attempt_id, 401, "no"), HW_OK);
    AWAIT(counted(&server, &server.released) == 1);
    CHECK_CONTAINS(answer_to(&server, GET("/metrics")), ",reason=\"full\"} 1\n");
    CHECK_CONTAINS(page, ",reason=\"application\"} 1\n");
    CHECK_CONTAINS(page, ",reason=\"unfinished\"} 0\n");
    client_free(first);
    client_free(second);
    hw_listener_close(server.listener);
    hw_config_free(server.config);
}

TEST(pages_do_not_keep_a_shutdown_waiting)
{
    open_many_names();
    server server;
    server_with(&server, "listener.metrics");
    server_open(&server, "ws://127.0.0.1:0");
    int slow = slow_socket(&server);
    CHECK_TEXT(body_of(answer_to(&server, GET("/healthz"))), "ok\n");
    hw_shutdown_report report = {.struct_size = sizeof report};
    CHECK_STATUS(hw_shutdown(PATIENCE_MS, &report), HW_OK);
    CHECK_EQUAL(report.connections, 0);
    /* What was on its way still arrives. */
    drain_slow(slow);
    CHECK_CONTAINS(body_of(page), "# EOF\n");
    server_end(&server);
}
