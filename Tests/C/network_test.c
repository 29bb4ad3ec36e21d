/* Changes of the machine's addresses and routes, in a network namespace of the test's own. */
#include "client.h"
#include "tls_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int is_netlink_refused;

/* Comes before libc's, and may refuse what a sandbox would. */
int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    if (is_netlink_refused && address.__sockaddr__->sa_family == AF_NETLINK) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address.__sockaddr__, size);
}

static void ioctl_interface(unsigned long operation, struct ifreq *request)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    if (ioctl(fd, operation, request) != 0) FAIL("%s: %s", request->ifr_name, strerror(errno));
    close(fd);
}

static void set_flags(const char *interface, int is_up)
{
    struct ifreq request = {.ifr_flags = (short)(is_up ? IFF_UP | IFF_RUNNING : 0)};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    ioctl_interface(SIOCSIFFLAGS, &request);
}

static void add_address(const char *text)
{
    struct ifreq request = {.ifr_name = "lo:1"};
    struct sockaddr_in address = {.sin_family = AF_INET};
    CHECK_EQUAL(inet_pton(AF_INET, text, &address.sin_addr), 1);
    memcpy(&request.ifr_addr, &address, sizeof address);
    ioctl_interface(SIOCSIFADDR, &request);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void remove_address(void) { set_flags("lo:1", 0); }

static void enter_own_network(void)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        test_skip("no network namespace of its own: %s", strerror(errno));
    set_flags("lo", 1);
}

/* Answers each ping. */
static void serve(SSL *ssl, int fd, int number, void *context)
{
    (void)fd;
    (void)number;
    (void)context;
    unsigned char head[6];
    if (!tls_server_accept(ssl)) return;
    while (SSL_read(ssl, head, sizeof head) == sizeof head && head[0] == 0x89 && head[1] == 0x80) SSL_write(ssl, "\x8A", 2);
}

/* A connection, to a server of its own, that sends no pings of its own accord. */
static client *quiet_client(tls_server **server, const char *watch)
{
    *server = tls_server_start(tls_server_context(), serve, NULL);
    client *client = client_new();
    client_set(client, "ping.interval", "0");
    client_set(client, "network.watch", watch);
    client_connect(client, tls_server_url(*server));
    return client;
}

TEST(a_changed_address_has_connections_probed_that_watch_the_network)
{
    enter_own_network();
    tls_server *servers[2];
    client *unconcerned = quiet_client(&servers[0], "false");
    client *watching = quiet_client(&servers[1], "true");
    add_address("10.1.2.3");
    client_named_event(watching, HW_EVENT_BEAT_SENT, "ping", 0);
    remove_address();
    client_named_event(watching, HW_EVENT_BEAT_SENT, "ping", 1);
    CHECK_EQUAL(client_metrics(watching).epoch, 1);
    CHECK_EQUAL(client_metrics(unconcerned).beats_sent, 0);
    client_free(unconcerned);
    client_free(watching);
    for (int i = 0; i < 2; i++) tls_server_stop(servers[i]);
}

TEST(a_burst_of_changes_is_one)
{
    enter_own_network();
    tls_server *server;
    client *client = quiet_client(&server, "true");
    char address[32];
    uint64_t began_ns = now_ns();
    for (int i = 1; i < 200; i++) {
        snprintf(address, sizeof address, "10.1.2.%d", i);
        add_address(address);
    }
    /* A burst lasts half a second. */
    uint64_t more = (now_ns() - began_ns) / 500000000u;
    client_named_event(client, HW_EVENT_BEAT_SENT, "ping", 0);
    remove_address();
    client_named_event(client, HW_EVENT_BEAT_SENT, "ping", 1);
    CHECK(client_metrics(client).beats_sent <= 2 + more);
    client_free(client);
    tls_server_stop(server);
}

TEST(where_the_kernel_tells_of_no_changes_connections_do_without)
{
    is_netlink_refused = 1;
    client *client = client_connected(server_url("ws", "/echo"));
    client_send(client, "hello");
    CHECK_TEXT(client_message(client, 0)->text, "hello");
    client_free(client);
}
