/* Sockets and their addresses. */
#ifndef HEARTWIRE_SOCKETS_H
#define HEARTWIRE_SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void hws_stream_hints(struct addrinfo *hints, int flags) {
    memset(hints, 0, sizeof *hints);
    hints->ai_family = AF_UNSPEC;
    hints->ai_socktype = SOCK_STREAM;
    hints->ai_flags = flags | AI_NUMERICSERV;
}

static inline int hws_socket(int family) {
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return fd;
}

/* 1 for an IPv4 address in dotted form or an IPv6 address, the forms that a certificate can name. */
static inline int hws_is_address(const char *text) {
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* Reads an address in one of these forms into 16 bytes; its size in network order, 4 or 16, or 0 for anything else. */
static inline int hws_parse_address(const char *text, unsigned char *address) {
    if (inet_pton(AF_INET, text, address) == 1) return 4;
    return inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
}

static inline int hws_connect(int fd, const struct sockaddr_storage *address, socklen_t size) {
    int result;
    do {
        result = connect(fd, (const struct sockaddr *)address, size);
    } while (result < 0 && errno == EINTR);
    return result;
}

/* A socket that listens at the address; -1 if there is none, and errno says why. One for IPv6 takes IPv4 too. */
static inline int hws_listen(const struct sockaddr_storage *address, socklen_t size) {
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (const struct sockaddr *)address, size) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

/* The next client and its address; -1 if there is none, and errno says why. */
static inline int hws_accept(int listener, struct sockaddr_storage *address, socklen_t *size) {
    *size = sizeof *address;
    /* The function of this name is declared for GNU sources only. */
    int fd = (int)syscall(SYS_accept4, listener, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* 1 for errors of hws_accept that concern one client alone (accept(2)): the next one may be accepted. */
static inline int hws_accept_lost(int code) {
    switch (code) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
        return 1;
    default:
        return 0;
    }
}

static inline int hws_local_address(int fd, struct sockaddr_storage *address, socklen_t *size) {
    *size = sizeof *address;
    return getsockname(fd, (struct sockaddr *)address, size);
}

/* An IPv4 client of a socket that speaks both has an IPv4 address (RFC 4291 section 2.5.5.2). */
static inline int hws_peer_address(int fd, struct sockaddr_storage *address, socklen_t *size) {
    *size = sizeof *address;
    if (getpeername(fd, (struct sockaddr *)address, size) != 0) return -1;
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = v6.sin6_port};
        memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
        memcpy(address, &v4, sizeof v4);
        *size = sizeof v4;
    }
    return 0;
}

/* 1 for an address that only this machine reaches. */
static inline int hws_is_loopback(const struct sockaddr_storage *address) {
    const unsigned char *v4 = (const unsigned char *)&((const struct sockaddr_in *)address)->sin_addr;
    if (address->ss_family == AF_INET) return v4[0] == 127;
    const unsigned char *v6 = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
    static const unsigned char mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    return memcmp(v6, &in6addr_loopback, 16) == 0 || memcmp(v6, mapped, sizeof mapped) == 0;
}

/* What has become of a connection attempt: 0 if it is established, EINPROGRESS, or why it failed. */
static inline int hws_connect_result(int fd) {
    struct pollfd socket = {.fd = fd, .events = POLLOUT};
    int ready = poll(&socket, 1, 0);
    if (ready < 0) return errno == EINTR ? EINPROGRESS : errno;
    if (ready == 0) return EINPROGRESS;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
    return error;
}

static inline int hws_address_equals(const struct sockaddr_storage *a, const struct sockaddr_storage *b, socklen_t size) {
    return memcmp(a, b, size) == 0;
}

static inline ssize_t hws_receive(int fd, void *buffer, size_t size) {
    ssize_t count;
    do {
        count = recv(fd, buffer, size, 0);
    } while (count < 0 && errno == EINTR);
    return count;
}

/* As hws_receive, but leaves the bytes where they are. */
static inline ssize_t hws_peek(int fd, void *buffer, size_t size) {
    ssize_t count;
    do {
        count = recv(fd, buffer, size, MSG_PEEK);
    } while (count < 0 && errno == EINTR);
    return count;
}

/* MSG_NOSIGNAL: a peer that went away must not kill the host with SIGPIPE. */
static inline ssize_t hws_send(int fd, const void *buffer, size_t size) {
    ssize_t count;
    do {
        count = send(fd, buffer, size, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    return count;
}

#endif
