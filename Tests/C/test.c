/* The test program's main, its checks and its view of the test servers. */
#include "test.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* run.py knows the exit status of a skipped test. */
enum { TESTS_MAX = 64, SKIPPED = 77 };

static struct {
    const char *name;
    void (*run)(void);
} tests[TESTS_MAX];
static int test_count;

void test_register(const char *name, void (*run)(void))
{
    if (test_count == TESTS_MAX) abort();
    tests[test_count].name = name;
    tests[test_count].run = run;
    test_count++;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    fflush(NULL);
    /* Other threads still run: exit handlers would race with them and hide the failure. */
    _Exit(1);
}

void test_skip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(NULL);
    _Exit(SKIPPED);
}

void test_check_text(const char *file, int line, const char *expression, const char *actual, const char *expected)
{
    if (strcmp(actual, expected) != 0) test_fail(file, line, "%s is \"%s\", not \"%s\"", expression, actual, expected);
}

void test_check_contains(const char *file, int line, const char *expression, const char *actual, const char *expected)
{
    if (strstr(actual, expected) == NULL) test_fail(file, line, "%s is \"%s\", without \"%s\"", expression, actual, expected);
}

static unsigned long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec;
}

test_patience test_patience_start(void)
{
    return (test_patience){now_ns() + PATIENCE_MS * 1000000ull};
}

int test_patience_left(test_patience *patience)
{
    struct timespec moment = {.tv_nsec = 1000000};
    nanosleep(&moment, NULL);
    return now_ns() < patience->deadline_ns;
}

const char *server_fact(const char *key)
{
    char name[64];
    snprintf(name, sizeof name, "HEARTWIRE_TEST_%s", key);
    for (char *c = name; *c != '\0'; c++) *c = (char)toupper((unsigned char)*c);
    const char *value = getenv(name);
    if (value == NULL) FAIL("%s is not set; run.py sets it", name);
    return value;
}

const char *server_url(const char *server, const char *path_format, ...)
{
    static _Thread_local char urls[8][512];
    static _Thread_local unsigned next;
    char path[256];
    va_list arguments;
    va_start(arguments, path_format);
    vsnprintf(path, sizeof path, path_format, arguments);
    va_end(arguments);
    char *url = urls[next++ % 8];
    const char *scheme = strncmp(server, "wss", 3) == 0 ? "wss" : "ws";
    snprintf(url, sizeof urls[0], "%s://localhost:%s%s", scheme, server_fact(server), path);
    return url;
}

int count_entries(const char *directory)
{
    int count = 0;
    DIR *entries = opendir(directory);
    CHECK(entries != NULL);
    while (readdir(entries) != NULL) count++;
    closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 0; i < test_count; i++) {
        if (argc == 1) {
            puts(tests[i].name);
        } else if (strcmp(argv[1], tests[i].name) == 0) {
            tests[i].run();
            return 0;
        }
    }
    return argc == 1 ? 0 : 2;
}
