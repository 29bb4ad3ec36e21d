/*
 * Measures what it costs to connect, one connection after the other.
 *
 * Usage: connect URL ROUNDS CA_FILE new|again
 *
 * "new" opens a handle for each connection; "again" has one handle reconnect, so that TLS resumes its session. CA_FILE may be empty. The
 * URL's path is /timed: the server says how long it took from accepting to having answered the opening handshake, and cuts the connection
 * when it gets a message.
 */
#define _POSIX_C_SOURCE 200809L

#include "measure.h"
#include <errno.h>
#include <semaphore.h>
#include <string.h>

static struct {
    sem_t connected;
    size_t count, rounds;
    uint64_t *server_ns, cpu_ns;
} measured;

/* Runs on the I/O thread, once a connection. */
static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    (void)connection, (void)count, (void)context;
    char digits[32] = {0};
    memcpy(digits, messages[0].data, messages[0].size < sizeof digits ? messages[0].size : sizeof digits - 1);
    if (measured.count < measured.rounds)
        measured.server_ns[measured.count++] = strtoull(digits, NULL, 10);
    sem_post(&measured.connected);
}

static void wait_until_connected(void)
{
    while (sem_wait(&measured.connected) != 0 && errno == EINTR)
        continue;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The first connection starts the library's threads and warms its caches; it is not counted. */
static void start_measuring(void)
{
    wait_until_connected();
    measured.count = 0;
}

static void connect_new(const hw_config *config, const char *url)
{
    hw_connection *connection = open_connection(config, url);
    start_measuring();
    hw_connection_release(connection);
    for (size_t i = 0; i < measured.rounds; i++) {
        uint64_t start_ns = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        connection = open_connection(config, url);
        wait_until_connected();
        measured.cpu_ns += read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns;
        hw_connection_release(connection);
    }
}

static void connect_again(const hw_config *config, const char *url)
{
    hw_connection *connection = open_connection(config, url);
    start_measuring();
    uint64_t start_ns = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < measured.rounds; i++) {
        hw_connection_send(connection, HW_TEXT, "cut", 3, NULL, NULL);
        wait_until_connected();
    }
    measured.cpu_ns = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns;
    hw_connection_release(connection);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    measured.rounds = strtoul(argv[2], NULL, 10);
    measured.server_ns = calloc(measured.rounds, sizeof *measured.server_ns);
    sem_init(&measured.connected, 0, 0);
    hw_config *config = make_config(argv[3][0] != 0 ? argv[3] : NULL);
    set(config, "delivery", "inline");
    set(config, "reconnect.base", "1ms");
    set(config, "reconnect.cap", "1ms");
    hw_config_on_messages(config, on_messages, NULL);
    (strcmp(argv[4], "new") == 0 ? connect_new : connect_again)(config, argv[1]);
    qsort(measured.server_ns, measured.rounds, sizeof *measured.server_ns, compare);
    printf("{\"median_us\": %.1f, \"p99_us\": %.1f, \"cpu_us\": %.1f}\n", (double)measured.server_ns[measured.rounds / 2] / 1e3,
           (double)measured.server_ns[measured.rounds * 99 / 100] / 1e3, (double)measured.cpu_ns / 1e3 / (double)measured.rounds);
    hw_config_free(config);
    free(measured.server_ns);
    return 0;
}
