/* The recording client. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *copy_bytes(const void *data, size_t size)
{
    char *copy = malloc(size + 1);
    if (size > 0) memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

static void enter(client *client)
{
    pthread_mutex_lock(&client->lock);
    if (client->released) FAIL("a callback after HW_EVENT_RELEASED");
    if (client->inside++ != 0) FAIL("two callbacks of one connection at once");
    pthread_mutex_unlock(&client->lock);
}

static void leave(client *client)
{
    pthread_mutex_lock(&client->lock);
    client->inside--;
    pthread_mutex_unlock(&client->lock);
}

static void add(client *client, record *added)
{
    pthread_mutex_lock(&client->lock);
    if (client->count == client->capacity) {
        client->capacity = client->capacity == 0 ? 64 : client->capacity * 2;
        client->records = realloc(client->records, client->capacity * sizeof *client->records);
    }
    client->records[client->count++] = added;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
    if (client->hook != NULL) client->hook(client, added);
}

static void check_epoch(client *client, uint64_t epoch)
{
    if (epoch + (client->overlaps ? 1 : 0) < client->epoch)
        FAIL("epoch %llu after %llu", (unsigned long long)epoch, (unsigned long long)client->epoch);
    if (epoch > client->epoch) client->epoch = epoch;
}

static void on_messages(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    client *client = context;
    enter(client);
    CHECK(connection != NULL && count > 0);
    for (size_t i = 0; i < count; i++) {
        CHECK(messages[i].data != NULL);
        CHECK(messages[i].received_ns > 0);
        check_epoch(client, messages[i].epoch);
        record *added = calloc(1, sizeof *added);
        added->message = messages[i];
        added->text = copy_bytes(messages[i].data, messages[i].size);
        added->message.data = (const uint8_t *)added->text;
        add(client, added);
    }
    leave(client);
}

static void on_event(hw_connection *connection, const hw_event *event, void *context)
{
    client *client = context;
    enter(client);
    CHECK(connection != NULL);
    CHECK_EQUAL(event->struct_size, sizeof *event);
    CHECK(event->text != NULL);
    CHECK(event->time_ns > 0);
    if (event->epoch > 0) check_epoch(client, event->epoch);
    record *added = calloc(1, sizeof *added);
    added->is_event = 1;
    added->event = *event;
    added->text = copy_bytes(event->text, event->text_size);
    added->event.text = added->text;
    added->event.body = (const uint8_t *)copy_bytes(event->body, event->body_size);
    int is_last = event->kind == HW_EVENT_RELEASED;
    add(client, added);
    leave(client);
    /* The thread that waits for this may free the client at once, so it is the last touch. */
    if (is_last) {
        pthread_mutex_lock(&client->lock);
        client->released = 1;
        pthread_cond_broadcast(&client->changed);
        pthread_mutex_unlock(&client->lock);
    }
}

client *client_new(void)
{
    client *new = calloc(1, sizeof *new);
    pthread_mutex_init(&new->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&new->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    CHECK_STATUS(hw_config_new(&new->config), HW_OK);
    CHECK_STATUS(hw_config_on_messages(new->config, on_messages, new), HW_OK);
    CHECK_STATUS(hw_config_on_event(new->config, on_event, new), HW_OK);
    client_set(new, "reconnect.base", "10ms");
    client_set(new, "reconnect.cap", "100ms");
    client_set(new, "tls.ca_file", server_fact("ca_file"));
    return new;
}

void set_pem(hw_config *config, const char *name, const char *path)
{
    char pem[16384];
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    size_t size = fread(pem, 1, sizeof pem, file);
    fclose(file);
    hw_error error = NEW_ERROR;
    if (hw_config_set_bytes(config, name, pem, size, &error) != HW_OK) FAIL("%s: %s", name, error.message);
}

void client_set(client *client, const char *name, const char *value)
{
    hw_error error = NEW_ERROR;
    if (hw_config_set(client->config, name, value, &error) != HW_OK) FAIL("%s = %s: %s", name, value, error.message);
}

void client_open(client *client, const char *url)
{
    hw_error error = NEW_ERROR;
    if (hw_connection_open(client->config, url, &client->connection, &error) != HW_OK) FAIL("%s: %s", url, error.message);
}

void client_rule(client *client, const char *json)
{
    hw_error error = NEW_ERROR;
    if (hw_config_add_rule(client->config, json, strlen(json), &error) != HW_OK) FAIL("%s: %s", json, error.message);
}

void client_connect(client *client, const char *url)
{
    client_open(client, url);
    hw_error error = NEW_ERROR;
    hw_status status = hw_connection_wait(client->connection, HW_STATE_CONNECTED, PATIENCE_MS, &error);
    if (status != HW_OK) FAIL("%s: %s, %s", url, hw_status_name(status), error.message);
}

client *client_connected(const char *url)
{
    client *client = client_new();
    client_connect(client, url);
    return client;
}

void client_send(client *client, const char *text)
{
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, text, strlen(text), NULL, NULL), HW_OK);
}

typedef struct {
    int is_event;
    hw_event_kind kind;
    hw_state state;     /* -1: any */
    const char *begins; /* what the text begins with; NULL: any */
    const char *text;   /* NULL: any */
} pattern;

static int matches(const record *record, pattern wanted)
{
    if (record->is_event != wanted.is_event) return 0;
    if (wanted.text != NULL && strcmp(record->text, wanted.text) != 0) return 0;
    if (wanted.begins != NULL && strncmp(record->text, wanted.begins, strlen(wanted.begins)) != 0) return 0;
    if (!wanted.is_event) return 1;
    return record->event.kind == wanted.kind && (wanted.state == -1 || record->event.state == wanted.state);
}

/* The record of that number among those that match, NULL if there is none yet. Called with the lock held. */
static const record *find(client *client, pattern wanted, size_t number)
{
    for (size_t i = 0; i < client->count; i++)
        if (matches(client->records[i], wanted) && number-- == 0) return client->records[i];
    return NULL;
}

static size_t count_matching(client *client, pattern wanted)
{
    size_t number = 0;
    pthread_mutex_lock(&client->lock);
    for (size_t i = 0; i < client->count; i++) number += (size_t)matches(client->records[i], wanted);
    pthread_mutex_unlock(&client->lock);
    return number;
}

static void print_records(client *client)
{
    size_t first = client->count > 30 ? client->count - 30 : 0;
    for (size_t i = first; i < client->count; i++) {
        const record *r = client->records[i];
        if (r->is_event)
            fprintf(stderr, "  event %d state %d epoch %llu %s close %d attempt %u: %.100s\n", (int)r->event.kind, (int)r->event.state,
                    (unsigned long long)r->event.epoch, hw_status_name(r->event.status), (int)r->event.close_code, r->event.attempt,
                    r->text);
        else
            fprintf(stderr, "  message epoch %llu: %.60s\n", (unsigned long long)r->message.epoch, r->text);
    }
}

static struct timespec patience_end(void)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += PATIENCE_MS / 1000;
    return end;
}

static const record *await(client *client, pattern wanted, size_t number)
{
    struct timespec end = patience_end();
    const record *found;
    pthread_mutex_lock(&client->lock);
    while ((found = find(client, wanted, number)) == NULL)
        if (pthread_cond_timedwait(&client->changed, &client->lock, &end) != 0) {
            fprintf(stderr, "recorded, the latest last:\n");
            print_records(client);
            const char *text = wanted.text != NULL ? wanted.text : "any text";
            if (wanted.is_event)
                FAIL("event %d with state %d and %s, number %zu, never came", (int)wanted.kind, (int)wanted.state, text, number);
            FAIL("message %zu never came", number);
        }
    pthread_mutex_unlock(&client->lock);
    return found;
}

const record *client_message(client *client, size_t number)
{
    return await(client, (pattern){.state = -1}, number);
}

const record *client_event(client *client, hw_event_kind kind, size_t number)
{
    return await(client, (pattern){.is_event = 1, .kind = kind, .state = -1}, number);
}

const record *client_state(client *client, hw_state state, size_t number)
{
    return await(client, (pattern){.is_event = 1, .kind = HW_EVENT_STATE, .state = state}, number);
}

const record *client_named_event(client *client, hw_event_kind kind, const char *text, size_t number)
{
    return await(client, (pattern){.is_event = 1, .kind = kind, .state = -1, .text = text}, number);
}

size_t client_message_count(client *client)
{
    return count_matching(client, (pattern){.state = -1});
}

size_t client_event_count(client *client, hw_event_kind kind)
{
    return count_matching(client, (pattern){.is_event = 1, .kind = kind, .state = -1});
}

hw_metrics client_metrics(client *client)
{
    hw_metrics metrics = {.struct_size = sizeof metrics};
    CHECK_STATUS(hw_connection_metrics(client->connection, &metrics), HW_OK);
    return metrics;
}

hw_health client_health(client *client)
{
    hw_health health = {.struct_size = sizeof health};
    CHECK_STATUS(hw_connection_health(client->connection, &health), HW_OK);
    return health;
}

const char *client_frames_seen(client *client)
{
    static const char head[] = "frames";
    pattern report = {.state = -1, .begins = head};
    size_t earlier = count_matching(client, report);
    client_send(client, "!frames");
    const char *lines = await(client, report, earlier)->text + strlen(head);
    return *lines == '\n' ? lines + 1 : lines;
}

/* The processor time of all threads but the calling one. */
static long long others_cpu_ns(void)
{
    struct timespec all, own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    return (all.tv_sec - own.tv_sec) * 1000000000ll + (all.tv_nsec - own.tv_nsec);
}

void check_threads_rest(void)
{
    client *beating = client_new();
    client_set(beating, "ping.interval", "50ms");
    client_open(beating, server_url("ws", "/echo"));
    AWAIT(client_metrics(beating).beats_sent >= 1);
    check_threads_rest_beside(beating);
    client_free(beating);
}

void check_threads_rest_beside(client *beating)
{
    uint64_t beats = client_metrics(beating).beats_sent;
    long long before_ns = others_cpu_ns();
    AWAIT(client_metrics(beating).beats_sent >= beats + 20);
    long long used_ms = (others_cpu_ns() - before_ns) / 1000000;
    if (used_ms > 200) FAIL("the library's threads used %lld ms of processor time for a second of rest", used_ms);
}

void client_await_released(client *client)
{
    struct timespec end = patience_end();
    pthread_mutex_lock(&client->lock);
    while (!client->released)
        if (pthread_cond_timedwait(&client->changed, &client->lock, &end) != 0) FAIL("HW_EVENT_RELEASED never came");
    pthread_mutex_unlock(&client->lock);
}

void client_free(client *client)
{
    hw_connection_release(client->connection);
    if (client->connection != NULL) {
        client_await_released(client);
        const record *last = client->records[client->count - 1];
        CHECK(last->is_event);
        CHECK_EQUAL(last->event.kind, HW_EVENT_RELEASED);
        CHECK_EQUAL(client_event_count(client, HW_EVENT_RELEASED), 1);
    }
    hw_config_free(client->config);
    for (size_t i = 0; i < client->count; i++) {
        free((void *)client->records[i]->text);
        free((void *)client->records[i]->event.body);
        free(client->records[i]);
    }
    free(client->records);
    pthread_mutex_destroy(&client->lock);
    pthread_cond_destroy(&client->changed);
    free(client);
}

void check_seen_close(const char *key, int code, const char *reason)
{
    char expected[256];
    snprintf(expected, sizeof expected, "{\"code\": %d, \"reason\": \"%s\"}", code, reason);
    client *asking = client_connected(server_url("raw", "/seen-close?key=%s", key));
    CHECK_TEXT(client_message(asking, 0)->text, expected);
    client_free(asking);
}
