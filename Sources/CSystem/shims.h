/*
 * System calls and OpenSSL macros that Swift cannot import as they are: variadic functions, macros, errno, unions.
 * Each shim adds no behaviour of its own beyond what its name says.
 */
#ifndef HEARTWIRE_SHIMS_H
#define HEARTWIRE_SHIMS_H

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
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
#include <sys/syscall.h>
#include <sys/stat.h>
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

/* Sockets. */
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

static inline int hws_would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

/* OpenSSL macros. */
static inline long hws_ssl_ctx_set_minimum(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }

/* Without AUTO_RETRY a read returns after a record that is not data. With read_ahead one system call brings many records. */
static inline void hws_ssl_ctx_set_modes(SSL_CTX *context) {
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_read_ahead(context, 1);
}

static inline long hws_ssl_ctx_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate);
}

static inline long hws_ssl_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }

/*
 * Gives back the buffers if they hold nothing. A release of OpenSSL before 3.0.14 frees them in the middle of a record too
 * (CVE-2024-4741), so it is not asked while the state is other than "RH", the reading of a record's header.
 */
static inline void hws_ssl_free_idle_buffers(SSL *ssl) {
    if (SSL_has_pending(ssl) == 0 && strcmp(SSL_rstate_string(ssl), "RH") == 0) SSL_free_buffers(ssl);
}

/* Any pointer, found again by hws_ssl_object. */
static inline void hws_ssl_set_object(SSL *ssl, void *object) { SSL_set_app_data(ssl, object); }
static inline void *hws_ssl_object(const SSL *ssl) { return SSL_get_app_data(ssl); }

/* What the last error is about, as OpenSSL numbers it; alerts from the peer are SSL_AD_REASON_OFFSET and the alert's number. */
static inline int hws_is_ssl_error(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }
static inline int hws_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int hws_is_end_of_pem(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* One line, pure ASCII, control characters escaped (RFC 2253). */
static inline void hws_print_name(BIO *bio, const X509_NAME *name) { X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253); }

/* The host name or address of that index that the certificate is for (its subjectAltName): its text, cut to fit; 0 past the last. */
static inline int hws_certificate_host(const X509 *certificate, int index, char *buffer, size_t capacity) {
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int found = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if ((name->type != GEN_DNS && name->type != GEN_IPADD) || index-- > 0) continue;
        found = 1;
        const unsigned char *data = ASN1_STRING_get0_data(name->d.ia5);
        size_t size = (size_t)ASN1_STRING_length(name->d.ia5);
        if (name->type == GEN_IPADD) {
            int is_address = size == 4 || size == 16;
            if (!is_address || inet_ntop(size == 4 ? AF_INET : AF_INET6, data, buffer, (socklen_t)capacity) == NULL) buffer[0] = 0;
        } else {
            size = size < capacity ? size : capacity - 1;
            for (size_t at = 0; at < size; at++) buffer[at] = data[at] > 0x20 && data[at] < 0x7F ? (char)data[at] : '?';
            buffer[size] = 0;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

/* Base64 of SHA-256 over a certificate's SubjectPublicKeyInfo: a pin of RFC 7469 section 2.4. out has room for 45 bytes; 0 if it fails. */
static inline int hws_certificate_pin(const X509 *certificate, unsigned char *out) {
    unsigned char *key = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    int ok = size > 0 && EVP_Digest(key, (size_t)size, digest, &digest_size, EVP_sha256(), NULL) == 1;
    OPENSSL_free(key);
    if (ok) EVP_EncodeBlock(out, digest, (int)digest_size);
    return ok;
}

static inline int hws_certificate_count(const STACK_OF(X509) *certificates) { return sk_X509_num(certificates); }
static inline X509 *hws_certificate_at(const STACK_OF(X509) *certificates, int index) { return sk_X509_value(certificates, index); }

static inline void hws_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void hws_bio_set_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
static inline void hws_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

/* Base64 of SHA-1 over two byte strings: the proof of RFC 6455 section 4.2.2. out has room for 29 bytes. */
static inline int hws_sha1_base64(const void *a, size_t a_size, const void *b, size_t b_size, unsigned char *out) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 && EVP_DigestUpdate(context, a, a_size) == 1 &&
             EVP_DigestUpdate(context, b, b_size) == 1 && EVP_DigestFinal_ex(context, digest, &digest_size) == 1;
    EVP_MD_CTX_free(context);
    if (!ok) return -1;
    EVP_EncodeBlock(out, digest, (int)digest_size);
    return 0;
}

/*
 * zlib's z_stream, as it stands in every release of zlib 1.x. Its header is not needed to build, and zlib itself is loaded at run time.
 */
typedef struct hws_z_stream {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *message;
    void *state;
    void *allocate;
    void *free;
    void *opaque;
    int data_type;
    unsigned long checksum;
    unsigned long reserved;
} hws_z_stream;

#endif
