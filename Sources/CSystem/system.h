/* System calls of threads, clocks, the poller and files that Swift cannot import as they are: macros, errno, unions. */
#ifndef HEARTWIRE_SYSTEM_H
#define HEARTWIRE_SYSTEM_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static inline int hws_errno(void) { return errno; }

/* Zero-initialised, so that nothing of the stack leaks; bounded, and empty for codes that have no text. */
static inline void hws_error_text(int code, char *buffer, size_t capacity) {
    buffer[0] = 0;
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    const char *text = strerror_r(code, buffer, capacity);
    if (text != buffer) {
        strncpy(buffer, text, capacity - 1);
        buffer[capacity - 1] = 0;
    }
#else
    if (strerror_r(code, buffer, capacity) != 0) buffer[0] = 0;
#endif
}

static inline int64_t hws_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* As CLOCK_MONOTONIC, but time goes on while the machine is suspended. */
static inline int64_t hws_boottime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The wall clock, in seconds since 1970. */
static inline int64_t hws_unix_time(void) { return (int64_t)time(NULL); }

static inline int64_t hws_unix_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Fills from the kernel's generator. 0 on success; short reads and interruptions are retried. */
static inline int hws_random(void *buffer, size_t size) {
    uint8_t *next = (uint8_t *)buffer;
    while (size > 0) {
        ssize_t count = getrandom(next, size, 0);
        if (count < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        next += count;
        size -= (size_t)count;
    }
    return 0;
}

/* Threads: all signals blocked, so that the host's handlers run on the host's threads. */
static inline int hws_thread_start(pthread_t *thread, void *(*body)(void *), void *context) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(thread, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) errno = result;
    return result;
}

/* Rests until the process ends. */
static inline void hws_thread_park(void) {
    for (;;) pause();
}

/* Names the calling thread for debuggers and ps; at most 15 bytes. */
static inline void hws_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

static inline void hws_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Waits until a moment on CLOCK_MONOTONIC. 0 when woken, ETIMEDOUT when it has passed. */
static inline int hws_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns) {
    struct timespec until;
    until.tv_sec = (time_t)(until_ns / 1000000000);
    until.tv_nsec = (long)(until_ns % 1000000000);
    return pthread_cond_timedwait(condition, mutex, &until);
}

/* epoll: enumeration constants as plain numbers, the 64-bit user data without the union. */
static const uint32_t hws_readable = EPOLLIN;
static const uint32_t hws_writable = EPOLLOUT;
static const uint32_t hws_broken = EPOLLERR | EPOLLHUP;

static inline int hws_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int hws_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, fd, &event);
}

static inline uint64_t hws_epoll_data(const struct epoll_event *event) { return event->data.u64; }

static inline int hws_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

static inline void hws_eventfd_set(int fd) {
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static inline void hws_eventfd_clear(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

/*
 * A descriptor that becomes readable when the wall clock is set, which the kernel does too when the machine resumes; -1 with errno if
 * there is none to be had. It is a timer's, and its time never comes.
 */
static inline int hws_clock_changes(void) {
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) return -1;
    struct itimerspec never = {.it_value = {.tv_sec = (time_t)(sizeof(time_t) > 4 ? 1ll << 33 : INT32_MAX)}};
    if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0) return fd;
    close(fd);
    return -1;
}

/* Makes it wait for the next change. */
static inline void hws_clock_changes_clear(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

/* A socket that receives the kernel's messages about addresses and routes (rtnetlink(7)); -1 with errno if it is refused. */
static inline int hws_network_changes(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -1;
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
    };
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* The size of the next datagram from the kernel; 0 for one from somebody else, which is of no account; -1 with errno. */
static inline ssize_t hws_network_changes_read(int fd, void *buffer, size_t size) {
    struct sockaddr_nl sender;
    ssize_t count;
    socklen_t sender_size;
    do {
        sender_size = sizeof sender;
        count = recvfrom(fd, buffer, size, 0, (struct sockaddr *)&sender, &sender_size);
    } while (count < 0 && errno == EINTR);
    if (count > 0 && (sender_size < sizeof sender || sender.nl_pid != 0)) return 0;
    return count;
}

static inline int hws_would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

/* When the file was last changed, in nanoseconds; 0 if it cannot be told. */
static inline int64_t hws_file_stamp_ns(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) return 0;
    return (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
}

static inline int hws_open_to_read(const char *path) { return open(path, O_RDONLY | O_CLOEXEC); }

static inline ssize_t hws_read(int fd, void *buffer, size_t size) {
    ssize_t count;
    do {
        count = read(fd, buffer, size);
    } while (count < 0 && errno == EINTR);
    return count;
}

/* 1 for a regular file or a link to one. */
static inline int hws_is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* The next entry's name, valid until the next call; NULL at the end. */
static inline const char *hws_next_entry(DIR *directory) {
    struct dirent *entry = readdir(directory);
    return entry == NULL ? NULL : entry->d_name;
}

#endif
