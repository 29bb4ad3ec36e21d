/* Configuration: properties, header fields and URLs, and errors that say what to do. */
#include "client.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static hw_config *new_config(void)
{
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    return config;
}

/* The description at index; 0 past the end. */
static int describe(size_t index, hw_property *property)
{
    *property = (hw_property){.struct_size = sizeof *property};
    hw_status status = hw_config_describe(index, property);
    if (status != HW_OK) CHECK_STATUS(status, HW_E_RANGE);
    return status == HW_OK;
}

static const char *get(const hw_config *config, const char *name)
{
    static char value[256];
    CHECK_STATUS(hw_config_get(config, name, value, sizeof value, NULL), HW_OK);
    return value;
}

TEST(versions_agree)
{
    CHECK_EQUAL(hw_version(), HW_VERSION);
}

TEST(statuses_have_names)
{
    CHECK_TEXT(hw_status_name(HW_OK), "HW_OK");
    CHECK_TEXT(hw_status_name(HW_E_TIMEOUT), "HW_E_TIMEOUT");
    CHECK_TEXT(hw_status_name(HW_E_SYSTEM), "HW_E_SYSTEM");
    const hw_status unknown[] = {1, -6, -9999, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) CHECK_TEXT(hw_status_name(unknown[i]), "HW_E_UNKNOWN");
}

TEST(all_properties_are_described)
{
    static const char *const names[] = {
        "ping.interval",        "ping.interval_fair",     "ping.interval_poor", "ping.timeout",
        "ping.missed_max",      "heartbeat.interval",     "heartbeat.text",
        "heartbeat.binary",     "connect.timeout",        "close.timeout",    "message.bytes_max",  "message.fragment_bytes",
        "reconnect.enabled",    "reconnect.base",         "reconnect.cap",    "reconnect.attempts_max",
        "reconnect.stable_after", "queue.messages_max",   "queue.bytes_max",  "delivery",           "inbox.messages_max",
        "inbox.bytes_max",      "inbox.overflow",         "subprotocols",     "tls.ca_file",
        "message.part_bytes",   "frame.bytes_max",        "pong.per_second_max", "compression", "compression.threshold_bytes",
        "compression.client_context_takeover", "compression.server_context_takeover", "compression.client_window_bits",
        "compression.server_window_bits", "compression.memory_level",
    };
    hw_property property;
    size_t count = 0;
    while (describe(count, &property)) {
        CHECK(property.type >= HW_PROPERTY_BOOLEAN && property.type <= HW_PROPERTY_BYTES);
        CHECK(strlen(property.doc) > 0 && strlen(property.since) > 0);
        CHECK(property.range != NULL && property.unit != NULL && property.default_value != NULL);
        count++;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t at = 0;
        while (describe(at, &property) && strcmp(property.name, names[i]) != 0) at++;
        if (at == count) FAIL("%s is not described", names[i]);
    }
    CHECK_STATUS(hw_config_describe(SIZE_MAX, &property), HW_E_RANGE);
}

TEST(defaults_can_be_set_and_read_back)
{
    hw_config *config = new_config();
    hw_property property;
    for (size_t i = 0; describe(i, &property); i++) {
        CHECK_TEXT(get(config, property.name), property.default_value);
        CHECK_STATUS(hw_config_set(config, property.name, property.default_value, NULL), HW_OK);
        CHECK_TEXT(get(config, property.name), property.default_value);
    }
    hw_config_free(config);
}

TEST(values_can_be_read_back)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"ping.interval", "250ms"}, {"ping.interval", "0"},       {"close.timeout", "5m"},       {"reconnect.cap", "24h"},
        {"ping.missed_max", "7"},   {"reconnect.enabled", "false"}, {"message.bytes_max", "64KiB"}, {"queue.bytes_max", "1GiB"},
        {"delivery", "inline"},     {"inbox.overflow", "close"},  {"heartbeat.text", "h\xC3\xA9"}, {"subprotocols", "a, b"},
    };
    hw_config *config = new_config();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_STATUS(hw_config_set(config, cases[i].name, cases[i].value, NULL), HW_OK);
        CHECK_TEXT(get(config, cases[i].name), cases[i].value);
    }
    hw_config_free(config);
}

TEST(get_tells_the_size_it_needs)
{
    hw_config *config = new_config();
    char value[8];
    size_t size = 0;
    CHECK_STATUS(hw_config_get(config, "ping.interval", NULL, 0, &size), HW_E_BUFFER);
    CHECK_EQUAL(size, 3);
    CHECK_STATUS(hw_config_get(config, "ping.interval", value, 3, &size), HW_E_BUFFER);
    CHECK_STATUS(hw_config_get(config, "ping.interval", value, 4, &size), HW_OK);
    CHECK_TEXT(value, "20s");
    CHECK_STATUS(hw_config_get(config, "no.such", value, 4, &size), HW_E_PROPERTY);
    CHECK_STATUS(hw_config_set_bytes(config, "heartbeat.binary", "a\0b", 3, NULL), HW_OK);
    CHECK_STATUS(hw_config_get(config, "heartbeat.binary", value, 4, &size), HW_OK);
    CHECK_EQUAL(size, 3);
    CHECK(memcmp(value, "a\0b", 4) == 0);
    hw_config_free(config);
}

TEST(unknown_property_suggests_the_nearest)
{
    static const struct {
        const char *wrong, *right;
    } cases[] = {{"ping.intervall", "ping.interval"}, {"Ping.Interval", "ping.interval"}, {"reconect.cap", "reconnect.cap"}};
    hw_config *config = new_config();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hw_error error = NEW_ERROR;
        char quoted[64];
        snprintf(quoted, sizeof quoted, "'%s'?", cases[i].right);
        CHECK_STATUS(hw_config_set(config, cases[i].wrong, "1s", &error), HW_E_PROPERTY);
        CHECK_EQUAL(error.status, HW_E_PROPERTY);
        CHECK_EQUAL(error.layer, HW_LAYER_CONFIGURATION);
        CHECK_CONTAINS(error.message, cases[i].wrong);
        CHECK_CONTAINS(error.message, quoted);
    }
    CHECK_STATUS(hw_config_set(config, "", "1s", NULL), HW_E_PROPERTY);
    hw_config_free(config);
}

TEST(bad_values_name_the_range)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"ping.interval", "20"},      {"ping.interval", ""},          {"ping.interval", "-1s"},     {"ping.interval", "s"},
        {"ping.interval", "25h"},     {"ping.interval", "1 s"},       {"ping.interval", "20s "},    {"ping.interval", "1.5s"},
        {"ping.interval", "99999999999999999999s"},                   {"ping.interval", "9223372036854775807h"},
        {"ping.timeout", "0"},        {"ping.missed_max", "0"},       {"ping.missed_max", "1001"},  {"ping.missed_max", "2s"},
        {"ping.missed_max", "0x10"},  {"reconnect.enabled", "yes"},   {"reconnect.enabled", ""},    {"message.bytes_max", "16MB"},
        {"message.bytes_max", "0"},   {"message.bytes_max", "2GiB"},  {"message.bytes_max", "18446744073709551616"},
        {"delivery", "Inline"},       {"delivery", ""},               {"inbox.overflow", "drop"},   {"queue.messages_max", "-1"},
        {"heartbeat.text", "caf\xC3"},
    };
    hw_config *config = new_config();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hw_property property;
        size_t at = 0;
        while (describe(at, &property) && strcmp(property.name, cases[i].name) != 0) at++;
        hw_error error = NEW_ERROR;
        hw_status status = hw_config_set(config, cases[i].name, cases[i].value, &error);
        if (status != HW_E_VALUE) FAIL("%s = '%s' is %s", cases[i].name, cases[i].value, hw_status_name(status));
        CHECK_CONTAINS(error.message, property.name);
        CHECK_CONTAINS(error.message, property.range);
        CHECK_TEXT(get(config, cases[i].name), property.default_value);
    }
    hw_config_free(config);
}

TEST(copies_are_independent)
{
    hw_config *config = new_config(), *copy = NULL;
    CHECK_STATUS(hw_config_set(config, "ping.interval", "3s", NULL), HW_OK);
    CHECK_STATUS(hw_config_copy(config, &copy), HW_OK);
    CHECK_STATUS(hw_config_set(config, "ping.interval", "4s", NULL), HW_OK);
    CHECK_TEXT(get(copy, "ping.interval"), "3s");
    hw_config_free(config);
    CHECK_TEXT(get(copy, "ping.interval"), "3s");
    hw_config_free(copy);
}

TEST(header_fields_cannot_be_injected)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"", "x"},           {"A B", "x"},        {"A:", "x"},       {"A\r\nB", "x"},          {"A", "x\r\nB: y"},
        {"A", "x\ny"},       {"A", "x\ry"},       {"A", "\x01"},     {"A", "\x7F"},            {"h\xC3\xA9", "x"},
        {"Host", "x"},       {"UPGRADE", "x"},    {"connection", "x"}, {"Sec-WebSocket-Key", "x"}, {"sec-websocket-protocol", "x"},
        {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"},
    };
    hw_config *config = new_config();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hw_error error = NEW_ERROR;
        hw_status status = hw_config_add_header(config, cases[i].name, cases[i].value, &error);
        if (status != HW_E_HEADER) FAIL("'%s: %s' is %s", cases[i].name, cases[i].value, hw_status_name(status));
        CHECK(strlen(error.message) > 0);
    }
    CHECK_STATUS(hw_config_add_header(config, "Authorization", "Bearer a.b-c", NULL), HW_OK);
    CHECK_STATUS(hw_config_add_header(config, "X-Empty", "", NULL), HW_OK);
    for (int i = 2; i < 64; i++) CHECK_STATUS(hw_config_add_header(config, "X-Many", "y", NULL), HW_OK);
    CHECK_STATUS(hw_config_add_header(config, "X-Many", "y", NULL), HW_E_TOO_LARGE);
    hw_config_free(config);

    static char large[32769];
    memset(large, 'x', sizeof large - 1);
    config = new_config();
    CHECK_STATUS(hw_config_add_header(config, "X-Large", large, NULL), HW_E_TOO_LARGE);
    hw_config_free(config);
}

enum { FIELDS_A_THREAD = 20, FIELDS_MAX = 64 };

typedef struct {
    hw_config *config;
    int ready;
} crowded_config;

static void *add_fields(void *context)
{
    crowded_config *crowded = context;
    /* Whoever sleeps on a barrier comes too late to meet the other. */
    __atomic_add_fetch(&crowded->ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&crowded->ready, __ATOMIC_SEQ_CST) < 2) sched_yield();
    for (int i = 0; i < FIELDS_A_THREAD; i++) CHECK_STATUS(hw_config_add_header(crowded->config, "X-Field", "y", NULL), HW_OK);
    return NULL;
}

TEST(threads_may_add_header_fields_at_once)
{
    for (int round = 0; round < 2000; round++) {
        crowded_config crowded = {.config = new_config()};
        pthread_t threads[2];
        for (int i = 0; i < 2; i++) CHECK_EQUAL(pthread_create(&threads[i], NULL, add_fields, &crowded), 0);
        for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
        int room = 0;
        while (hw_config_add_header(crowded.config, "X-Field", "y", NULL) == HW_OK) room++;
        CHECK_EQUAL(room, FIELDS_MAX - 2 * FIELDS_A_THREAD);
        hw_config_free(crowded.config);
    }
}

TEST(malformed_urls_are_refused)
{
    static const char *const urls[] = {
        "",                     "localhost",             "http://localhost/",   "ws:/localhost/",      "ws://",
        "ws:///path",           "ws://:80/",             "ws://localhost:x/",   "ws://localhost:0/",   "ws://localhost:65536/",
        "ws://localhost:-1/",   "ws://localhost/#top",   "ws://local host/",    "ws://localhost/a b",  "ws://localhost/\r\nX: y",
        "ws://us er@localhost/", "ws://[::1/",            "ws://[zz]/",          "ws://[]/",            "ws://[::1]x/",
        "ws://b\xC3\xB6rse/", "ws://localhost/\xC3\xA9", "wss//localhost/",  "ws://localhost:8 0/", " ws://localhost/",
    };
    hw_config *config = new_config();
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        hw_connection *connection = NULL;
        hw_error error = NEW_ERROR;
        hw_status status = hw_connection_open(config, urls[i], &connection, &error);
        if (status != HW_E_URL) FAIL("'%s' is %s", urls[i], hw_status_name(status));
        CHECK(strlen(error.message) > 0);
        CHECK_EQUAL(error.layer, HW_LAYER_CONFIGURATION);
        CHECK(connection == NULL);
    }
    hw_config_free(config);
}

TEST(subprotocols_must_be_tokens)
{
    static const char *const lists[] = {"a b", "a,,b", "a, a", ",", "a\r\nX: y"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        hw_config *config = new_config();
        hw_connection *connection = NULL;
        hw_status status = hw_config_set(config, "subprotocols", lists[i], NULL);
        if (status == HW_OK) status = hw_connection_open(config, "ws://localhost/", &connection, NULL);
        CHECK_STATUS(status, HW_E_VALUE);
        hw_config_free(config);
    }
}

TEST(lists_of_codes_and_paths_are_checked)
{
    static const struct {
        const char *name, *value, *says;
    } cases[] = {
        {"reconnect.final_codes", "401,", "separated by commas, not ''"},
        {"reconnect.final_codes", "4xx", "HTTP statuses (100 to 599) and close codes (1000 to 4999) separated by commas, not '4xx'"},
        {"reconnect.retry_codes", "600", "'reconnect.retry_codes' takes HTTP statuses"},
        {"reconnect.retry_codes", "401 403", "not '401 403'"},
        {"reconnect.retry_codes", "1008,1008", "'reconnect.retry_codes' has 1008 twice"},
        {"rotate.duplicate_key", "data.id", "must begin with a slash, as in /data/id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hw_config *config = new_config();
        hw_connection *connection = NULL;
        hw_error error = NEW_ERROR;
        CHECK_STATUS(hw_config_set(config, cases[i].name, cases[i].value, NULL), HW_OK);
        CHECK_STATUS(hw_connection_open(config, "ws://localhost/", &connection, &error), HW_E_VALUE);
        CHECK_CONTAINS(error.message, cases[i].says);
        CHECK_EQUAL(error.layer, HW_LAYER_CONFIGURATION);
        hw_config_free(config);
    }
}

TEST(a_code_is_final_or_not)
{
    hw_config *config = new_config();
    hw_connection *connection = NULL;
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_config_set(config, "reconnect.final_codes", "4000, 1001", NULL), HW_OK);
    CHECK_STATUS(hw_config_set(config, "reconnect.retry_codes", "401,1001", NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, "ws://localhost/", &connection, &error), HW_E_CONFLICT);
    CHECK_CONTAINS(error.message, "code 1001 is in both reconnect.final_codes and reconnect.retry_codes");
    hw_config_free(config);
}

TEST(inbox_delivery_needs_an_inbox)
{
    hw_config *config = new_config();
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_config_set(config, "delivery", "inbox", NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, "ws://localhost/", &connection, NULL), HW_E_CONFLICT);
    hw_config_free(config);
}
