/*
 * A suspension of the machine, as the library sees it: CLOCK_BOOTTIME runs ahead, and the timer that waits for the wall clock to be set
 * becomes readable. Both are this program's own, which come before libc's.
 */
#include "client.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static _Atomic long long suspended_ms;
static struct {
    int descriptor, clock, flags;
} timer = {.descriptor = -1};

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_BOOTTIME) {
        long long ns = now->tv_nsec + suspended_ms * 1000000;
        now->tv_sec += ns / 1000000000;
        now->tv_nsec = ns % 1000000000;
    }
    return result;
}

int timerfd_create(int clock, int flags)
{
    (void)flags;
    timer.clock = clock;
    timer.descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return timer.descriptor;
}

int timerfd_settime(int descriptor, int flags, const struct itimerspec *value, struct itimerspec *previous)
{
    (void)value;
    (void)previous;
    CHECK_EQUAL(descriptor, timer.descriptor);
    timer.flags = flags;
    return 0;
}

/* What the kernel does when the machine resumes. */
static void resume_after(int ms)
{
    suspended_ms += ms;
    CHECK_EQUAL(write(timer.descriptor, &(uint64_t){1}, 8), 8);
}

/* A connection that sends no pings of its own accord; for a server that never answers any, it should not wait long. */
static client *quiet_client(const char *url, const char *answer_time)
{
    client *client = client_new();
    client_set(client, "ping.interval", "0");
    client_set(client, "ping.timeout", answer_time);
    client_connect(client, url);
    return client;
}

static void echo_once(client *client)
{
    size_t number = client_message_count(client);
    client_send(client, "hello");
    client_message(client, number);
}

TEST(after_a_suspension_all_connections_are_probed_at_once)
{
    client *there = quiet_client(server_url("ws", "/echo"), "20s");
    client *gone = quiet_client(server_url("raw", "/silent"), "100ms");
    resume_after(3600 * 1000);
    client_named_event(there, HW_EVENT_BEAT_SENT, "ping", 0);
    const record *closed = client_event(gone, HW_EVENT_CLOSED, 0);
    CHECK_STATUS(closed->event.status, HW_E_HEARTBEAT);
    CHECK_CONTAINS(closed->text, "suspension");
    client_event(gone, HW_EVENT_OPENED, 1);
    /* Whoever answers stays. */
    echo_once(there);
    CHECK_EQUAL(client_metrics(there).epoch, 1);
    CHECK_EQUAL(client_metrics(there).beats_sent, 1);
    client_free(there);
    client_free(gone);
}

TEST(each_suspension_is_noticed_once)
{
    client *client = quiet_client(server_url("ws", "/echo"), "20s");
    for (size_t i = 0; i < 3; i++) {
        resume_after(1500);
        client_named_event(client, HW_EVENT_BEAT_SENT, "ping", i);
        echo_once(client);
        CHECK_EQUAL(client_metrics(client).beats_sent, i + 1);
    }
    client_free(client);
}

TEST(a_clock_that_is_set_or_a_moment_is_no_suspension)
{
    client *client = quiet_client(server_url("ws", "/echo"), "20s");
    resume_after(0);
    echo_once(client);
    resume_after(900);
    echo_once(client);
    echo_once(client);
    CHECK_EQUAL(client_metrics(client).beats_sent, 0);
    client_free(client);
}

/* That the kernel cancels such a timer when it resumes stands in timerfd_create(2). */
TEST(the_timer_is_one_that_resuming_cancels)
{
    client *client = quiet_client(server_url("ws", "/echo"), "20s");
    CHECK_EQUAL(timer.clock, CLOCK_REALTIME);
    CHECK_EQUAL(timer.flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    client_free(client);
}
