/* Handles that are NULL, stale, forged or of another kind; releases from anywhere. */
#include "client.h"

#include <string.h>

/* Calls every function that takes a configuration. */
static void check_config_refused(hw_config *handle, hw_inbox *inbox)
{
    hw_config *copy = NULL;
    hw_connection *connection = NULL;
    char buffer[32] = "untouched";
    size_t size = 77;
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_config_copy(handle, &copy), HW_E_HANDLE);
    CHECK_STATUS(hw_config_set(handle, "ping.interval", "1s", &error), HW_E_HANDLE);
    CHECK_EQUAL(error.status, HW_E_HANDLE);
    CHECK_STATUS(hw_config_set_bytes(handle, "heartbeat.binary", "x", 1, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_config_get(handle, "ping.interval", buffer, sizeof buffer, &size), HW_E_HANDLE);
    CHECK_STATUS(hw_config_add_header(handle, "A", "b", NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_config_on_messages(handle, NULL, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_config_on_event(handle, NULL, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_config_set_inbox(handle, inbox, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_open(handle, "ws://localhost/", &connection, NULL), HW_E_HANDLE);
    hw_config_free(handle);
    CHECK(copy == NULL && connection == NULL && size == 77);
    CHECK_TEXT(buffer, "untouched");
}

/* Calls every function that takes a connection. */
static void check_connection_refused(hw_connection *handle)
{
    hw_metrics metrics = {.struct_size = sizeof metrics, .epoch = 77};
    uint64_t id = 77;
    CHECK_STATUS(hw_connection_wait(handle, HW_STATE_CONNECTED, 0, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_send(handle, HW_TEXT, "x", 1, NULL, &id), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_close(handle, 1000, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_connection_metrics(handle, &metrics), HW_E_HANDLE);
    CHECK_EQUAL(hw_connection_state(handle), HW_STATE_DISCONNECTED);
    hw_connection_release(handle);
    CHECK(id == 77 && metrics.epoch == 77);
}

/* Calls every function that takes an inbox. */
static void check_inbox_refused(hw_inbox *handle)
{
    hw_config *config = NULL;
    hw_delivery deliveries[1];
    size_t count = 77;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, handle, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_inbox_take(handle, deliveries, 1, &count, 0), HW_E_HANDLE);
    CHECK_EQUAL(hw_inbox_fd(handle), -1);
    hw_inbox_release(handle);
    CHECK_EQUAL(count, 77);
    hw_config_free(config);
}

static void check_all_refused(void *handle)
{
    hw_inbox *inbox = NULL;
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    check_config_refused(handle, inbox);
    hw_inbox_release(inbox);
    check_connection_refused(handle);
    check_inbox_refused(handle);
    hw_inbox *out = NULL;
    if (handle != NULL) CHECK_STATUS(hw_inbox_new(handle, &out), HW_E_HANDLE);
    CHECK(out == NULL);
}

TEST(null_and_forged_handles_are_refused)
{
    char on_the_stack[64];
    memset(on_the_stack, 0xAA, sizeof on_the_stack);
    check_all_refused(NULL);
    check_all_refused(on_the_stack);
    const uintptr_t forged[] = {1, 2, 16, 0x1234, 0xFFFFFFFF, (uintptr_t)1 << 32, (uintptr_t)1 << 63, UINTPTR_MAX, UINTPTR_MAX >> 1};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) check_all_refused((void *)forged[i]);
}

TEST(handles_near_a_live_one_are_refused)
{
    client *client = client_connected(server_url("ws", "/echo"));
    for (int bit = 0; bit < 64; bit++) {
        void *near = (void *)((uintptr_t)client->connection ^ (uintptr_t)1 << bit);
        /* Flipping a bit may meet another live handle of another kind, but never a connection. */
        if (near != (void *)client->config) check_connection_refused(near);
    }
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    client_free(client);
}

TEST(handles_of_another_kind_are_refused)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_inbox *inbox = NULL;
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    check_config_refused((hw_config *)client->connection, inbox);
    check_config_refused((hw_config *)inbox, inbox);
    check_connection_refused((hw_connection *)client->config);
    check_connection_refused((hw_connection *)inbox);
    check_inbox_refused((hw_inbox *)client->connection);
    check_inbox_refused((hw_inbox *)client->config);
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    hw_inbox_release(inbox);
    client_free(client);
}

TEST(stale_handles_are_refused)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_config *config = NULL;
    hw_inbox *inbox = NULL, *other = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_inbox_new(config, &inbox), HW_OK);
    hw_connection_release(client->connection);
    hw_config_free(config);
    hw_inbox_release(inbox);
    /* Slots are taken again by others; the old handles stay stale all the same. */
    struct client *successor = client_connected(server_url("ws", "/echo"));
    CHECK_STATUS(hw_inbox_new(NULL, &other), HW_OK);
    check_all_refused(client->connection);
    check_all_refused(config);
    check_all_refused(inbox);
    CHECK_EQUAL(hw_connection_state(successor->connection), HW_STATE_CONNECTED);
    hw_inbox_release(other);
    client_free(successor);
    client_free(client);
}

TEST(null_arguments_are_refused)
{
    hw_config *config = NULL;
    hw_connection *connection = NULL;
    hw_inbox *inbox = NULL;
    hw_delivery deliveries[1];
    size_t count;
    CHECK_STATUS(hw_config_new(NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_config_copy(config, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_set(config, NULL, "1s", NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_set(config, "ping.interval", NULL, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_set_bytes(config, "heartbeat.binary", NULL, 1, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_set_bytes(config, "heartbeat.binary", NULL, 0, NULL), HW_OK);
    CHECK_STATUS(hw_config_get(config, NULL, NULL, 0, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_get(config, "ping.interval", NULL, 8, &count), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_add_header(config, NULL, "b", NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_add_header(config, "A", NULL, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_describe(0, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_open(config, NULL, &connection, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_open(config, "ws://localhost/", NULL, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_inbox_new(config, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_inbox_new(config, &inbox), HW_OK);
    CHECK_STATUS(hw_inbox_take(inbox, NULL, 1, &count, 0), HW_E_ARGUMENT);
    CHECK_STATUS(hw_inbox_take(inbox, deliveries, 1, NULL, 0), HW_E_ARGUMENT);
    CHECK_STATUS(hw_inbox_take(inbox, deliveries, 0, &count, 0), HW_E_ARGUMENT);
    hw_inbox_release(inbox);
    hw_config_free(config);

    client *client = client_connected(server_url("ws", "/echo"));
    CHECK_STATUS(hw_connection_metrics(client->connection, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, NULL, 1, NULL, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_send(client->connection, 0, "x", 1, NULL, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_connection_send(client->connection, 3, "x", 1, NULL, NULL), HW_E_ARGUMENT);
    client_free(client);
}

TEST(struct_size_bounds_what_is_written)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_metrics metrics;
    memset(&metrics, 0x5A, sizeof metrics);
    metrics.struct_size = offsetof(hw_metrics, messages_sent);
    CHECK_STATUS(hw_connection_metrics(client->connection, &metrics), HW_OK);
    CHECK_EQUAL(metrics.state, HW_STATE_CONNECTED);
    CHECK_EQUAL(metrics.messages_received, 0);
    CHECK_EQUAL(metrics.messages_sent, 0x5A5A5A5A5A5A5A5A);
    metrics.struct_size = 0;
    CHECK_STATUS(hw_connection_metrics(client->connection, &metrics), HW_E_ARGUMENT);

    hw_error error;
    memset(&error, 0x5A, sizeof error);
    error.struct_size = offsetof(hw_error, native_code);
    CHECK_STATUS(hw_config_set(client->config, "no.such", "1", &error), HW_E_PROPERTY);
    CHECK_EQUAL(error.status, HW_E_PROPERTY);
    CHECK_EQUAL(error.native_code, 0x5A5A5A5A);

    hw_property property;
    memset(&property, 0x5A, sizeof property);
    property.struct_size = offsetof(hw_property, default_value);
    CHECK_STATUS(hw_config_describe(0, &property), HW_OK);
    CHECK(strlen(property.name) > 0);
    CHECK_EQUAL((uintptr_t)property.default_value, 0x5A5A5A5A5A5A5A5A);
    property.struct_size = 4;
    CHECK_STATUS(hw_config_describe(0, &property), HW_E_ARGUMENT);
    client_free(client);
}

TEST(release_twice_is_harmless)
{
    client *client = client_connected(server_url("ws", "/echo"));
    hw_connection_release(client->connection);
    hw_connection_release(client->connection);
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_copy(client->config, &config), HW_OK);
    hw_config_free(config);
    hw_config_free(config);
    client_free(client);
}

/* Releases in the callback of the first message, or of the first HW_EVENT_OPENED; what else arrived may not be delivered any more. */
static void release_inside(client *client, const record *latest)
{
    int wanted = latest->is_event ? HW_EVENT_OPENED : 0;
    if (wanted != *(int *)client->hook_context || (latest->is_event && latest->event.kind != HW_EVENT_OPENED)) return;
    hw_connection_release(client->connection);
    check_connection_refused(client->connection);
}

TEST(release_inside_a_callback_takes_effect_after_it)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    int triggers[] = {0, HW_EVENT_OPENED};
    for (size_t d = 0; d < 2; d++)
        for (size_t t = 0; t < 2; t++) {
            client *client = client_new();
            client->hook = release_inside;
            client->hook_context = &triggers[t];
            client_set(client, "delivery", deliveries[d]);
            client_open(client, server_url("ws", "/flood?n=1000&size=10"));
            client_await_released(client);
            client_free(client);
        }
}

TEST(release_from_another_thread_while_callbacks_run)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t d = 0; d < 2; d++) {
        client *client = client_new();
        client_set(client, "delivery", deliveries[d]);
        client_open(client, server_url("ws", "/flood?n=100000&size=10"));
        client_message(client, 100);
        hw_connection_release(client->connection);
        /* Whatever came after this would fail the recorder. */
        pthread_mutex_lock(&client->lock);
        CHECK(client->released);
        pthread_mutex_unlock(&client->lock);
        client_free(client);
    }
}

typedef struct {
    pthread_barrier_t entered;
    int releasing;
    int callback_done;
} gate;

static void hold_callback(client *client, const record *latest)
{
    gate *gate = client->hook_context;
    if (latest->is_event) return;
    pthread_barrier_wait(&gate->entered);
    AWAIT(__atomic_load_n(&gate->releasing, __ATOMIC_SEQ_CST));
    /* Handles go stale before release waits, so this shows that the other thread is in there. */
    AWAIT(hw_connection_close(client->connection, 1000, NULL) == HW_E_HANDLE);
    __atomic_store_n(&gate->callback_done, 1, __ATOMIC_SEQ_CST);
}

TEST(release_waits_for_the_callback_that_runs)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t d = 0; d < 2; d++) {
        gate gate = {.releasing = 0};
        pthread_barrier_init(&gate.entered, NULL, 2);
        client *client = client_new();
        client->hook = hold_callback;
        client->hook_context = &gate;
        client_set(client, "delivery", deliveries[d]);
        client_open(client, server_url("raw", "/two-in-one"));
        pthread_barrier_wait(&gate.entered);
        __atomic_store_n(&gate.releasing, 1, __ATOMIC_SEQ_CST);
        hw_connection_release(client->connection);
        CHECK(__atomic_load_n(&gate.callback_done, __ATOMIC_SEQ_CST));
        pthread_barrier_destroy(&gate.entered);
        client_free(client);
    }
}

static void call_inside(client *client, const record *latest)
{
    if (latest->is_event) return;
    hw_error error = NEW_ERROR;
    hw_metrics metrics = {.struct_size = sizeof metrics};
    CHECK_STATUS(hw_connection_wait(client->connection, HW_STATE_DISCONNECTED, 1000, &error), HW_E_IN_CALLBACK);
    CHECK_EQUAL(hw_connection_state(client->connection), HW_STATE_CONNECTED);
    CHECK_STATUS(hw_connection_metrics(client->connection, &metrics), HW_OK);
    if (client_message_count(client) < 50)
        CHECK_STATUS(hw_connection_send(client->connection, HW_TEXT, "again", 5, NULL, NULL), HW_OK);
    else
        CHECK_STATUS(hw_connection_close(client->connection, 1000, "enough"), HW_OK);
}

TEST(functions_may_be_called_inside_callbacks)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t d = 0; d < 2; d++) {
        client *client = client_new();
        client->hook = call_inside;
        client_set(client, "delivery", deliveries[d]);
        client_open(client, server_url("ws", "/echo"));
        client_send(client, "first");
        client_state(client, HW_STATE_DISCONNECTED, 0);
        CHECK_EQUAL(client_message_count(client), 50);
        client_free(client);
    }
}

static void take_inside(client *client, const record *latest)
{
    if (latest->is_event) return;
    hw_delivery deliveries[1];
    size_t count = 0;
    CHECK_STATUS(hw_inbox_take(client->hook_context, deliveries, 1, &count, UINT32_MAX), HW_E_IN_CALLBACK);
    CHECK_STATUS(hw_inbox_take(client->hook_context, deliveries, 1, &count, 1), HW_E_IN_CALLBACK);
    CHECK_STATUS(hw_inbox_take(client->hook_context, deliveries, 1, &count, 0), HW_E_TIMEOUT);
}

TEST(take_does_not_wait_inside_callbacks)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t d = 0; d < 2; d++) {
        hw_inbox *inbox = NULL;
        CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
        client *client = client_new();
        client->hook = take_inside;
        client->hook_context = inbox;
        client_set(client, "delivery", deliveries[d]);
        client_open(client, server_url("raw", "/two-in-one"));
        client_message(client, 0);
        client_free(client);
        hw_inbox_release(inbox);
    }
}

typedef struct {
    int message_calls;
    int events_after;
    int released;
} releaser;

static void release_at_first(hw_connection *connection, const hw_message *messages, size_t count, void *context)
{
    releaser *releaser = context;
    CHECK(messages != NULL && count > 0);
    if (releaser->message_calls++ == 0) hw_connection_release(connection);
}

static void count_events(hw_connection *connection, const hw_event *event, void *context)
{
    releaser *releaser = context;
    CHECK(connection != NULL);
    if (event->kind == HW_EVENT_RELEASED)
        __atomic_store_n(&releaser->released, 1, __ATOMIC_SEQ_CST);
    else if (releaser->message_calls > 0)
        releaser->events_after++;
}

TEST(nothing_follows_a_release_inside_a_callback)
{
    const char *deliveries[] = {"dispatcher", "inline"};
    for (size_t d = 0; d < 2; d++) {
        releaser releaser = {.released = 0};
        hw_config *config = NULL;
        hw_connection *connection = NULL;
        CHECK_STATUS(hw_config_new(&config), HW_OK);
        CHECK_STATUS(hw_config_set(config, "delivery", deliveries[d], NULL), HW_OK);
        CHECK_STATUS(hw_config_on_messages(config, release_at_first, &releaser), HW_OK);
        CHECK_STATUS(hw_config_on_event(config, count_events, &releaser), HW_OK);
        CHECK_STATUS(hw_connection_open(config, server_url("raw", "/burst?n=5000"), &connection, NULL), HW_OK);
        AWAIT(__atomic_load_n(&releaser.released, __ATOMIC_SEQ_CST));
        CHECK_EQUAL(releaser.message_calls, 1);
        CHECK_EQUAL(releaser.events_after, 0);
        hw_config_free(config);
    }
}
