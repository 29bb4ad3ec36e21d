/*
 * Preloaded into a client, it lets the time pass faster for it by a whole factor: what the library reads from a clock is ahead, and what
 * it waits for comes sooner by the same measure.
 *
 * FAST_CLOCK_FACTOR     how much faster
 * FAST_CLOCK_ORIGIN_NS  the CLOCK_MONOTONIC reading at which fast and real time agree, and from which the fast one runs ahead
 * FAST_CLOCK_UNIX_MS    what the wall clock shows at the origin
 *
 * Only what the library calls is here; the runner refuses a library that asks other functions for the time or to wait.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000, LAST_PART_NS = 50 * NS_PER_MS };

static long long factor = 1, origin_ns, unix_origin_ns;

static long long setting(const char *name)
{
    const char *text = getenv(name);
    if (text == NULL) abort();
    return atoll(text);
}

__attribute__((constructor)) static void read_settings(void)
{
    origin_ns = setting("FAST_CLOCK_ORIGIN_NS");
    unix_origin_ns = setting("FAST_CLOCK_UNIX_MS") * NS_PER_MS;
    factor = setting("FAST_CLOCK_FACTOR");
}

static struct timespec timespec_of(long long ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

/* The fast time that has passed since the origin. */
static long long passed_ns(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (now.tv_sec * (long long)NS_PER_S + now.tv_nsec - origin_ns) * factor;
}

/* A fast duration in real time, rounded up so that the fast clock has reached its end when the wait is over. */
static long long real_ns(long long fast_ns) { return (fast_ns + factor - 1) / factor; }

int clock_gettime(clockid_t clock, struct timespec *now)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: *now = timespec_of(unix_origin_ns + passed_ns()); return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME: *now = timespec_of(origin_ns + passed_ns()); return 0;
    default: return (int)syscall(SYS_clock_gettime, clock, now);
    }
}

time_t time(time_t *out)
{
    time_t now = (time_t)((unix_origin_ns + passed_ns()) / NS_PER_S);
    if (out != NULL) *out = now;
    return now;
}

/*
 * The kernel lets a wait take up to half a percent longer than asked, which in fast time is much: a long one is made in ever shorter
 * parts.
 */
int epoll_wait(int epoll, struct epoll_event *events, int events_max, int timeout_ms)
{
    long long until_ns = passed_ns() + (long long)timeout_ms * NS_PER_MS;
    if (timeout_ms < 0) return epoll_pwait2(epoll, events, events_max, NULL, NULL);
    for (;;) {
        long long left_ns = real_ns(until_ns - passed_ns());
        int is_last = left_ns <= LAST_PART_NS;
        struct timespec timeout = timespec_of(left_ns < 0 ? 0 : is_last ? left_ns : left_ns - left_ns / 8);
        int count = epoll_pwait2(epoll, events, events_max, &timeout, NULL);
        if (count != 0 || is_last) return count;
    }
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    struct timespec timeout = timespec_of(real_ns((long long)timeout_ms * NS_PER_MS));
    return ppoll(descriptors, count, timeout_ms < 0 ? NULL : &timeout, NULL);
}

/* The library sets one timer, whose time never comes: it waits for the wall clock to be set, which nobody does here. */
int timerfd_settime(int timer, int flags, const struct itimerspec *value, struct itimerspec *previous)
{
    return (int)syscall(SYS_timerfd_settime, timer, flags, value, previous);
}

/* All conditions of the library count in CLOCK_MONOTONIC. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    long long fast_ns = until->tv_sec * (long long)NS_PER_S + until->tv_nsec;
    struct timespec real = timespec_of(origin_ns + real_ns(fast_ns - origin_ns));
    return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &real);
}
