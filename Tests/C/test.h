/*
 * A test is a function in a program of its own process: TEST(name) { ... }. It passes by returning.
 *
 * The first failed check ends the process, so no test can spoil another; run.py starts one process a test.
 */
#ifndef TEST_H
#define TEST_H

#include <heartwire.h>
#include <stddef.h>

/* Defines a test and enters it into the program's list before main runs. */
#define TEST(name)                                                                                                                   \
    static void name(void);                                                                                                          \
    __attribute__((constructor)) static void register_##name(void) { test_register(#name, name); }                                   \
    static void name(void)

void test_register(const char *name, void (*run)(void));

/* Prints what failed and where, and ends the process. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Ends the test without a verdict, where the machine does not allow what it needs. */
_Noreturn void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(condition)                                                                                                             \
    do {                                                                                                                             \
        if (!(condition)) FAIL("not so: %s", #condition);                                                                            \
    } while (0)

#define CHECK_EQUAL(actual, expected)                                                                                                \
    do {                                                                                                                             \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                                                  \
        if (actual_ != expected_) FAIL("%s is %lld, not %lld", #actual, actual_, expected_);                                         \
    } while (0)

#define CHECK_STATUS(call, expected)                                                                                                 \
    do {                                                                                                                             \
        hw_status status_ = (call), expected_ = (expected);                                                                          \
        if (status_ != expected_) FAIL("%s is %s, not %s", #call, hw_status_name(status_), hw_status_name(expected_));               \
    } while (0)

#define CHECK_TEXT(actual, expected) test_check_text(__FILE__, __LINE__, #actual, actual, expected)
#define CHECK_CONTAINS(actual, expected) test_check_contains(__FILE__, __LINE__, #actual, actual, expected)

void test_check_text(const char *file, int line, const char *expression, const char *actual, const char *expected);
void test_check_contains(const char *file, int line, const char *expression, const char *actual, const char *expected);

/* Waits until the condition holds, by looking again and again; fails if it takes very long. */
#define AWAIT(condition)                                                                                                             \
    do {                                                                                                                             \
        for (test_patience patience_ = test_patience_start(); !(condition);)                                                         \
            if (!test_patience_left(&patience_)) FAIL("never so: %s", #condition);                                                   \
    } while (0)

typedef struct {
    unsigned long long deadline_ns;
} test_patience;

test_patience test_patience_start(void);

/* Pauses for a moment. Answers 0 when the patience is used up. */
int test_patience_left(test_patience *patience);

/* How long a test waits for anything before it fails; far longer than anything takes. */
enum { PATIENCE_MS = 20000 };

/* The URL of a path on one of the test servers, named by its key in what serve.py prints. Valid for the next few calls. */
const char *server_url(const char *server, const char *path_format, ...) __attribute__((format(printf, 2, 3)));

/* A fact about the servers, such as "ca_file". */
const char *server_fact(const char *key);

/* How many entries a directory has: "/proc/self/fd" the open descriptors, "/proc/self/task" the threads. */
int count_entries(const char *directory);

/* An hw_error ready to be filled. */
#define NEW_ERROR ((hw_error){.struct_size = sizeof(hw_error)})

#endif
