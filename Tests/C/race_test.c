/*
 * Hosts with several addresses. This program's own getaddrinfo stands before the C library's and makes up the addresses of names that end
 * in ".test" from their labels; its own connect notes which addresses are tried.
 */
#include "client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef int (*connecter)(int, __CONST_SOCKADDR_ARG, socklen_t);

enum { TRIED_MAX = 64 };

/* Listens and takes no connection more: a name's label "dead" is its address. */
static struct sockaddr_in dead_address;

/* The ports that were connected to, in order. */
static int tried[TRIED_MAX];
static size_t tried_count;

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    size_t index = __atomic_fetch_add(&tried_count, 1, __ATOMIC_SEQ_CST);
    if (index < TRIED_MAX) __atomic_store_n(&tried[index], ntohs(address.__sockaddr_in__->sin_port), __ATOMIC_SEQ_CST);
    connecter real = (connecter)(intptr_t)dlsym(RTLD_NEXT, "connect");
    return real(fd, address, size);
}

/* One address, in one block with its list entry, as freeaddrinfo wants it. */
static struct addrinfo *new_entry(struct sockaddr_in address)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in address;
    } *entry = calloc(1, sizeof *entry);
    entry->address = address;
    entry->info = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addrlen = sizeof entry->address};
    entry->info.ai_addr = (struct sockaddr *)&entry->address;
    return &entry->info;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* "dead.refused.good.test" has three addresses. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    size_t size = strlen(host);
    if (size < 5 || strcmp(host + size - 5, ".test") != 0) {
        resolver real = (resolver)(intptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
        return real(host, service, hints, list);
    }
    if (hints->ai_flags & AI_NUMERICHOST) return EAI_NONAME;
    char names[256], *rest = names;
    snprintf(names, sizeof names, "%.*s", (int)(size - 5), host);
    for (char *label; (label = strtok_r(rest, ".", &rest)) != NULL; list = &(*list)->ai_next) {
        if (strcmp(label, "dead") == 0)
            *list = new_entry(dead_address);
        else
            *list = new_entry(loopback(atoi(strcmp(label, "refused") == 0 ? server_fact("refused") : service)));
    }
    *list = NULL;
    return 0;
}

/* Makes an address that never answers: once a listener's backlog is full, the kernel drops whoever knocks. */
static void make_dead_address(void)
{
    socklen_t size = sizeof dead_address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    dead_address = loopback(0);
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&dead_address, size), 0);
    CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&dead_address, &size), 0);
    CHECK_EQUAL(listen(listener, 0), 0);
    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fd, (struct sockaddr *)&dead_address, size);
    }
    tried_count = 0;
}

static int dead_port(void)
{
    return ntohs(dead_address.sin_port);
}

static int good_port(void)
{
    return atoi(server_fact("ws"));
}

static const char *url(const char *host, const char *path)
{
    static char text[256];
    snprintf(text, sizeof text, "ws://%s:%s%s", host, server_fact("ws"), path);
    return text;
}

static int tried_port(size_t index)
{
    return __atomic_load_n(&tried[index], __ATOMIC_SEQ_CST);
}

/* With an even share of the time an address would have minutes. */
TEST(dead_addresses_cost_a_moment)
{
    make_dead_address();
    const char *hosts[] = {"dead.good.test", "dead.dead.dead.good.test", "refused.dead.good.test"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        client *client = client_new();
        client_set(client, "connect.timeout", "1h");
        client_open(client, url(hosts[i], "/echo"));
        client_send(client, "hello");
        CHECK_TEXT(client_message(client, 0)->text, "hello");
        CHECK_EQUAL(client_event_count(client, HW_EVENT_ATTEMPT_FAILED), 0);
        client_free(client);
    }
}

TEST(dead_address_leaves_the_next_a_share_of_a_short_time)
{
    make_dead_address();
    client *client = client_new();
    client_set(client, "connect.timeout", "200ms");
    client_open(client, url("dead.good.test", "/echo"));
    client_event(client, HW_EVENT_OPENED, 0);
    client_free(client);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

TEST(those_that_lose_the_race_are_closed)
{
    make_dead_address();
    client *first = client_connected(url("good.test", "/echo"));
    int before = open_descriptors();
    client *second = client_connected(url("dead.dead.good.test", "/echo"));
    CHECK_EQUAL(open_descriptors(), before + 1);
    client_free(second);
    client_free(first);
}

TEST(those_that_race_are_closed_with_the_connection)
{
    make_dead_address();
    client *first = client_connected(url("good.test", "/echo"));
    int before = open_descriptors();
    client *second = client_new();
    client_open(second, url("dead.dead.test", "/"));
    AWAIT(open_descriptors() == before + 2);
    client_free(second);
    AWAIT(open_descriptors() == before);
    client_free(first);
}

TEST(every_address_that_failed_is_named)
{
    client *client = client_new();
    client_open(client, url("refused.refused.test", "/"));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_CONNECT);
    char expected[256];
    const char *port = server_fact("refused");
    snprintf(expected, sizeof expected,
             "connecting to 'refused.refused.test' failed: 127.0.0.1:%s (Connection refused), 127.0.0.1:%s (Connection refused)",
             port, port);
    CHECK_TEXT(failed->text, expected);
    client_free(client);
}

TEST(addresses_that_did_not_answer_are_named)
{
    make_dead_address();
    client *client = client_new();
    client_set(client, "connect.timeout", "1s");
    client_open(client, url("dead.refused.test", "/"));
    const record *failed = client_event(client, HW_EVENT_ATTEMPT_FAILED, 0);
    CHECK_STATUS(failed->event.status, HW_E_CONNECT_TIMEOUT);
    CHECK_EQUAL(failed->event.retryable, 1);
    char expected[256];
    snprintf(expected, sizeof expected, "127.0.0.1:%s (Connection refused), 127.0.0.1:%d (no answer)", server_fact("refused"), dead_port());
    CHECK_CONTAINS(failed->text, expected);
    client_free(client);
}

TEST(many_failures_fit_into_an_error)
{
    client *client = client_new();
    client_set(client, "reconnect.enabled", "false");
    char host[256] = "";
    for (int i = 0; i < 20; i++) strcat(host, "refused.");
    strcat(host, "test");
    client_open(client, url(host, "/"));
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_connection_wait(client->connection, HW_STATE_CONNECTED, PATIENCE_MS, &error), HW_E_STATE);
    CHECK_CONTAINS(client_event(client, HW_EVENT_ATTEMPT_FAILED, 0)->text, " more");
    client_free(client);
}

TEST(last_good_address_goes_first_next_time)
{
    make_dead_address();
    client *client = client_new();
    client_open(client, url("dead.good.test", "/close"));
    client_event(client, HW_EVENT_OPENED, 1);
    CHECK_EQUAL(tried_port(0), dead_port());
    CHECK_EQUAL(tried_port(1), good_port());
    CHECK_EQUAL(tried_port(2), good_port());
    client_free(client);
}

TEST(address_that_gives_no_websocket_is_not_preferred)
{
    make_dead_address();
    client *client = client_new();
    client_set(client, "reconnect.retry_after_max", "0");
    client_open(client, url("dead.good.test", "/status?code=503"));
    client_event(client, HW_EVENT_ATTEMPT_FAILED, 1);
    CHECK_EQUAL(tried_port(0), dead_port());
    CHECK_EQUAL(tried_port(1), good_port());
    CHECK_EQUAL(tried_port(2), dead_port());
    client_free(client);
}
