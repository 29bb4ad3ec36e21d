/* Name resolution. This program's own getaddrinfo stands before the C library's, so that a test says how names resolve. */
#include "client.h"

#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Lookups of dead names that have begun, and leave to give each of them up. */
static int dead_lookups;
static sem_t may_give_up;

/* Names with "dead" in them have no answer until the test says so; "localhost." is this machine. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    resolver real = (resolver)(intptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(host, "localhost.") == 0) return real("localhost", service, hints, list);
    if (strstr(host, "dead") == NULL || (hints->ai_flags & AI_NUMERICHOST) != 0) return real(host, service, hints, list);
    __atomic_add_fetch(&dead_lookups, 1, __ATOMIC_SEQ_CST);
    while (sem_wait(&may_give_up) != 0) continue;
    return EAI_AGAIN;
}

TEST(abandoned_lookups_do_not_hold_up_others)
{
    enum { DEAD = 10, THREADS = 8, ATTEMPTS = 5 };
    client *dead[DEAD];
    CHECK_EQUAL(sem_init(&may_give_up, 0, 0), 0);
    for (int i = 0; i < DEAD; i++) {
        dead[i] = client_new();
        client_set(dead[i], "connect.timeout", "20ms");
        char url[32];
        snprintf(url, sizeof url, "ws://dead%d/", i);
        client_open(dead[i], url);
    }
    for (int i = 0; i < DEAD; i++) AWAIT(client_metrics(dead[i]).attempts_failed >= ATTEMPTS);
    AWAIT(__atomic_load_n(&dead_lookups, __ATOMIC_SEQ_CST) == THREADS);

    client *good = client_new();
    client_open(good, server_url("ws", "/echo"));
    client_state(good, HW_STATE_CONNECTING, 0);
    /* Before the good name stand only the lookups that run and the last one of each connection. */
    for (int i = 0; i < THREADS + DEAD; i++) sem_post(&may_give_up);
    client_event(good, HW_EVENT_OPENED, 0);

    client_free(good);
    for (int i = 0; i < DEAD; i++) client_free(dead[i]);
}

TEST(final_dot_of_a_name_is_no_part_of_the_certificates)
{
    client *client = client_new();
    char url[64];
    snprintf(url, sizeof url, "wss://localhost.:%s/echo", server_fact("wss"));
    client_open(client, url);
    client_send(client, "hello");
    CHECK_TEXT(client_message(client, 0)->text, "hello");
    client_free(client);
}
