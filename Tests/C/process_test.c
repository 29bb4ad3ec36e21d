/* The library as a guest in a process: fork, exit, signals, descriptors and threads. */
#include "client.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for the child to end by exit(0). A hanging child is ended by run.py with the whole test. */
static void check_child(pid_t child)
{
    int status = 0;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) FAIL("the child ended by signal %d", WTERMSIG(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
}

static void echo_once(client *client, const char *text)
{
    size_t number = client_message_count(client);
    client_send(client, text);
    CHECK_TEXT(client_message(client, number)->text, text);
}

TEST(forked_child_keeps_its_hands_off_and_may_open_its_own)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_inbox *inbox = NULL;
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    echo_once(client, "before");
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        hw_metrics metrics = {.struct_size = sizeof metrics};
        hw_delivery deliveries[1];
        size_t count;
        CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_FORKED);
        CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_E_FORKED);
        CHECK_STATUS(hw_connection_wait(client->connection, HW_STATE_CONNECTED, 0, NULL), HW_E_FORKED);
        CHECK_STATUS(hw_connection_metrics(client->connection, &metrics), HW_E_FORKED);
        CHECK_STATUS(hw_config_set(client->config, "ping.interval", "1s", NULL), HW_E_FORKED);
        CHECK_STATUS(hw_inbox_take(inbox, deliveries, 1, &count, 0), HW_E_FORKED);
        CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_DISCONNECTED);
        hw_connection_release(client->connection);
        hw_config_free(client->config);
        hw_inbox_release(inbox);
        struct client *own = client_connected(server_url("wss", "/echo"));
        echo_once(own, "from the child");
        client_free(own);
        exit(0);
    }
    echo_once(client, "meanwhile");
    check_child(child);
    echo_once(client, "after");
    CHECK_EQUAL(client_metrics(client).epoch, 1);
    hw_inbox_release(inbox);
    client_free(client);
}

TEST(fork_while_threads_are_busy)
{
    client *client = client_connected(server_url("ws", "/flood?n=1000000&size=10"));
    client_message(client, 1000);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "x", 1, NULL, NULL), HW_E_FORKED);
            hw_config *config = NULL;
            CHECK_STATUS(hw_config_new(&config), HW_OK);
            hw_config_free(config);
            _exit(0);
        }
        check_child(child);
    }
    client_free(client);
}

TEST(exit_with_a_live_connection)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    const char *paths[] = {"/echo", "/flood?n=1000000&size=100"};
    for (size_t i = 0; i < 4; i++) {
        fflush(NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            client *client = client_new();
            client_set(client, "delivery", deliveries[i % 2]);
            client_open(client, server_url("wss", "%s", paths[i / 2]));
            client_send(client, "hello");
            client_message(client, 0);
            exit(0);
        }
        check_child(child);
    }
}

TEST(server_that_aborts_raises_no_signal)
{
    const char *servers[] = {"ws", "wss", "aiohttp"};
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    for (size_t i = 0; i < 3; i++) {
        client *client = client_new();
        client_set(client, "reconnect.base", "1ms");
        client_set(client, "reconnect.cap", "1ms");
        client_open(client, server_url(servers[i], "/abort"));
        while (client_event_count(client, HW_EVENT_CLOSED) < 20) {
            hw_status status = hw_connection_send(client->connection, HW_TEXT, "to a closed socket", 18, NULL, NULL);
            if (status == HW_E_FULL)
                poll(NULL, 0, 1);
            else
                CHECK_STATUS(status, HW_OK);
        }
        client_free(client);
    }
}

/* How many entries a directory of /proc/self has: descriptors or threads. */
/* Opens and releases connections of every kind, to good and bad servers. */
static void open_and_release(int round)
{
    const char *servers[] = {"ws", "wss", "raw", "refused"};
    const char *paths[] = {"/echo", "/echo", "/no-answer", "/"};
    client *client = client_new();
    client_set(client, "delivery", round % 2 == 0 ? "dispatcher" : "inline");
    client_open(client, server_url(servers[round % 4], "%s", paths[round % 4]));
    if (round % 4 < 2 && round % 8 < 4) client_event(client, HW_EVENT_OPENED, 0);
    client_free(client);

    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    hw_delivery deliveries[1];
    size_t count;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    CHECK(hw_inbox_fd(inbox) >= 0);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, NULL), HW_OK);
    CHECK_STATUS(hw_inbox_take(inbox, deliveries, 1, &count, PATIENCE_MS), HW_OK);
    hw_connection_release(connection);
    hw_inbox_release(inbox);
    hw_config_free(config);
}

TEST(descriptors_and_threads_return_to_where_they_were)
{
    /* What the library keeps for the whole process is there after the first round. */
    for (int i = 0; i < 8; i++) open_and_release(i);
    int descriptors = count_entries("/proc/self/fd");
    int threads = count_entries("/proc/self/task");
    for (int i = 0; i < 50; i++) open_and_release(i);
    AWAIT(count_entries("/proc/self/fd") <= descriptors);
    AWAIT(count_entries("/proc/self/task") <= threads);
}

TEST(signals_are_left_to_the_program)
{
    client *client = client_connected(server_url("wss", "/echo"));
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
            FAIL("signal %d has a handler", number);
    }
    /* Every thread but this one blocks all that can be blocked, so that handlers run on the program's own threads. */
    DIR *directory = opendir("/proc/self/task");
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid()) continue;
        char path[300], line[256];
        unsigned long long blocked = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *status = fopen(path, "r");
        if (status == NULL) continue;
        while (fgets(line, sizeof line, status) != NULL) sscanf(line, "SigBlk: %llx", &blocked);
        fclose(status);
        CHECK((blocked & 1ull << (SIGTERM - 1)) != 0 && (blocked & 1ull << (SIGUSR1 - 1)) != 0 && (blocked & 1ull << (SIGCHLD - 1)) != 0);
    }
    closedir(directory);
    client_free(client);
}

/* What the handlers below, which the library's own runs before, act on. */
static client *left_open;
static hw_inbox *left_inbox;

static void close_and_wait(void)
{
    CHECK_STATUS(hw_connection_close(left_open->connection, 1000, NULL), HW_OK);
    CHECK_STATUS(hw_connection_wait(left_open->connection, HW_STATE_DISCONNECTED, UINT32_MAX, NULL), HW_OK);
}

static void release_what_is_open(void)
{
    hw_connection_release(left_open->connection);
}

static void take_everything(void)
{
    hw_delivery deliveries[1];
    size_t count;
    hw_status status;
    while ((status = hw_inbox_take(left_inbox, deliveries, 1, &count, UINT32_MAX)) == HW_OK) continue;
    CHECK_STATUS(status, HW_E_TIMEOUT);
}

TEST(exit_handlers_may_wait_without_limit)
{
    void (*const handlers[])(void) = {close_and_wait, release_what_is_open, take_everything};
    const char *deliveries[] = {"dispatcher", "inline", "inbox"};
    for (size_t i = 0; i < 9; i++) {
        const char *delivery = deliveries[i % 3];
        void (*handler)(void) = handlers[i / 3];
        if (handler == take_everything && strcmp(delivery, "inbox") != 0) continue;
        fflush(NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK_EQUAL(atexit(handler), 0);
            left_open = client_new();
            client_set(left_open, "delivery", delivery);
            if (strcmp(delivery, "inbox") == 0) {
                CHECK_STATUS(hw_inbox_new(NULL, &left_inbox), HW_OK);
                CHECK_STATUS(hw_config_set_inbox(left_open->config, left_inbox, NULL), HW_OK);
            }
            client_open(left_open, server_url("wss", "/flood?n=100&size=10"));
            CHECK_STATUS(hw_connection_wait(left_open->connection, HW_STATE_CONNECTED, PATIENCE_MS, NULL), HW_OK);
            exit(0);
        }
        check_child(child);
    }
}

/* What the library's I/O thread does: 'P' if it pauses for good, '-' if it is not there any more, else 'R'. */
static char io_thread_state(void)
{
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    char state = '-';
    for (struct dirent *task; state == '-' && (task = readdir(tasks)) != NULL;) {
        char path[300], line[64] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue;
        char *name = fgets(line, sizeof line, file);
        fclose(file);
        if (name == NULL || strcmp(line, "heartwire-io\n") != 0) continue;
        state = 'R';
        snprintf(path, sizeof path, "/proc/self/task/%s/syscall", task->d_name);
        file = fopen(path, "r");
        if (file == NULL) continue;
        if (fgets(line, sizeof line, file) != NULL && atoi(line) == SYS_pause) state = 'P';
        fclose(file);
    }
    closedir(tasks);
    return state;
}

static void await_io_thread_at_rest(void)
{
    AWAIT(io_thread_state() != 'R');
    CHECK_EQUAL(io_thread_state(), 'P');
}

/* OpenSSL frees what it keeps for a thread when the thread ends, and all of it when the process does: never both at once. */
TEST(the_io_thread_stays_until_the_process_has_ended)
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* Runs after the library's own handler. */
        CHECK_EQUAL(atexit(await_io_thread_at_rest), 0);
        client *client = client_new();
        client_connect(client, server_url("wss", "/echo"));
        exit(0);
    }
    check_child(child);
}

/* A host that daemonizes late closes descriptors that it does not own, and opens its own under the same numbers. */
TEST(closed_descriptors_stop_the_library_and_the_hosts_own_are_left_alone)
{
    enum { OPENED = 64 };
    client *connected = client_connected(server_url("ws", "/echo"));
    /* The next attempt of this one wakes the library up; an address, so that no resolver uses descriptors. */
    client *retrying = client_new();
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%s/", server_fact("refused"));
    client_open(retrying, url);
    client_state(retrying, HW_STATE_RECONNECTING, 0);

    closefrom(3);
    int descriptors[OPENED];
    for (int i = 0; i < OPENED; i++) CHECK((descriptors[i] = open("/dev/null", O_WRONLY)) >= 0);
    CHECK_STATUS(hw_connection_wait(connected->connection, HW_STATE_DISCONNECTED, PATIENCE_MS, NULL), HW_OK);
    CHECK_STATUS(hw_connection_wait(retrying->connection, HW_STATE_DISCONNECTED, PATIENCE_MS, NULL), HW_OK);
    for (int i = 0; i < OPENED; i++) CHECK(fcntl(descriptors[i], F_GETFD) >= 0);
    hw_connection *connection = NULL;
    AWAIT(hw_connection_open(connected->config, url, &connection, NULL) == HW_E_SYSTEM);
    hw_connection_release(connected->connection);
    hw_connection_release(retrying->connection);
}
