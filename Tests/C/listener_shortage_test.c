/* A listener in a process that runs out of descriptors. */
#include "listener.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Lets no descriptor from that number on be opened any more, and gives the limit that there was. */
static rlim_t limit_descriptors(rlim_t limit)
{
    struct rlimit limits;
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limits), 0);
    rlim_t before = limits.rlim_cur;
    limits.rlim_cur = limit;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limits), 0);
    return before;
}

static client *beating_client(server *server)
{
    client *beating = plain_client();
    client_set(beating, "ping.interval", "50ms");
    client_connect(beating, server->url);
    return beating;
}

TEST(clients_are_turned_away_when_descriptors_run_out)
{
    enum { WAITING = 3 };
    log_start(HW_LOG_WARNING);
    server server;
    server_start(&server);
    client *alive = plain_client();
    client_connect(alive, server.url);
    int before = count_entries("/proc/self/fd");
    int waiting[WAITING], taken[64], count = 0;
    for (int i = 0; i < WAITING; i++) waiting[i] = socket(AF_INET, SOCK_STREAM, 0);
    rlim_t limit = limit_descriptors((rlim_t)waiting[WAITING - 1] + 10);
    while (count < 64 && (taken[count] = dup(0)) >= 0) count++;
    CHECK(count < 64);
    for (int i = 0; i < WAITING; i++) {
        char seen[4096];
        connect_socket(waiting[i], &server);
        read_to_end(waiting[i], seen, sizeof seen);
        CHECK_CONTAINS(seen, "HTTP/1.1 503 ");
    }
    client_send(alive, "still here");
    CHECK_TEXT(client_message(alive, 0)->text, "still here");
    AWAIT(log_count("clients are turned away or wait until that has passed: Too many open files") == 1);
    while (count > 0) close(taken[--count]);
    limit_descriptors(limit);
    int late = silent_socket(&server, request);
    read_until(late, "101 Switching Protocols");
    AWAIT(counted(&server, &server.opened) == 2);
    close(late);
    for (int i = 0; i < WAITING; i++) close(waiting[i]);
    AWAIT(count_entries("/proc/self/fd") == before);
    CHECK_EQUAL(log_count("listener at port"), 1);
    client_free(alive);
    server_end(&server);
}

/* As if others had been quicker to take the descriptor that the listener gives up to turn a client away. */
TEST(clients_wait_in_peace_where_they_cannot_even_be_turned_away)
{
    enum { WAITING = 3 };
    log_start(HW_LOG_WARNING);
    server server;
    server_start(&server);
    client *beating = beating_client(&server);
    int waiting[WAITING];
    for (int i = 0; i < WAITING; i++) waiting[i] = socket(AF_INET, SOCK_STREAM, 0);
    rlim_t limit = limit_descriptors(3);
    for (int i = 0; i < WAITING; i++) {
        connect_socket(waiting[i], &server);
        CHECK_EQUAL(send(waiting[i], request, strlen(request), 0), strlen(request));
    }
    AWAIT(log_count("Too many open files") == 1);
    check_threads_rest_beside(beating);
    limit_descriptors(limit);
    for (int i = 0; i < WAITING; i++) {
        read_until(waiting[i], "101 Switching Protocols");
        close(waiting[i]);
    }
    AWAIT(counted(&server, &server.opened) == 1 + WAITING);
    CHECK_EQUAL(log_count("Too many open files"), 1);
    client_free(beating);
    server_end(&server);
}
