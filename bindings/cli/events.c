/* Events as records: what heartwire.h numbers has its name here. */
#include "events.h"

#include "record.h"

struct names {
    int32_t lowest;
    int32_t count;
    const char *const *list;
};

#define NAMES(lowest_value, ...) \
    {.lowest = (lowest_value), \
     .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), \
     .list = (const char *const[]){__VA_ARGS__}}

static const struct names event_names = NAMES(
    HW_EVENT_STATE, "state", "opened", "closed", "attempt_failed", "beat_missed", "writable", "slow_consumer", "released", "warning",
    "heartbeat_received", "heartbeat_responded", "heartbeat_timeout", "heartbeat_failure", "beat_sent", "beat_acked", "engine_started",
    "engine_stopped", "health", "quality", "response_level", "reconnect_advised", "gap", "rotation", "circuit", "outcome", "connect_due",
    "attempt_held", "accept_due");
static const struct names state_names =
    NAMES(HW_STATE_DISCONNECTED, "disconnected", "connecting", "connected", "reconnecting", "closing", "failed");
static const struct names layer_names = NAMES(HW_LAYER_NONE, "none", "configuration", "resolver", "tcp", "tls", "http", "websocket",
                                              "heartbeat", "delivery", "system", "proxy");
static const struct names health_names = NAMES(HW_HEALTH_UNKNOWN, "unknown", "error", "warning", "healthy");
static const struct names quality_names = NAMES(HW_QUALITY_UNKNOWN, "unknown", "poor", "fair", "good", "excellent");
static const struct names response_names = NAMES(HW_RESPONSE_ON_TARGET, "on_target", "slow", "warning", "critical", "overdue");
static const struct names rotation_names = NAMES(HW_ROTATION_STARTED, "started", "switched", "finished", "failed");
static const struct names circuit_names = NAMES(HW_CIRCUIT_CLOSED, "closed", "open", "half_open");
static const struct names outcome_names = NAMES(HW_OUTCOME_PENDING, "pending", "sent", "expired", "dropped", "cancelled");
static const struct names holder_names = NAMES(0, "budget", "circuit");

static const char *name_of(const struct names *names, int32_t value)
{
    return value >= names->lowest && value - names->lowest < names->count ? names->list[value - names->lowest] : "unknown";
}

const char *state_name(hw_state state)
{
    return name_of(&state_names, state);
}

/* The names of an event's level; NULL if its kind has none. */
static const struct names *level_names(hw_event_kind kind)
{
    switch (kind) {
    case HW_EVENT_HEALTH:
        return &health_names;
    case HW_EVENT_QUALITY:
        return &quality_names;
    case HW_EVENT_HEARTBEAT_RESPONDED:
    case HW_EVENT_RESPONSE_LEVEL:
        return &response_names;
    case HW_EVENT_ROTATION:
        return &rotation_names;
    case HW_EVENT_CIRCUIT:
        return &circuit_names;
    case HW_EVENT_OUTCOME:
        return &outcome_names;
    case HW_EVENT_ATTEMPT_HELD:
        return &holder_names;
    default:
        return NULL;
    }
}

static int has_previous_level(hw_event_kind kind)
{
    return kind == HW_EVENT_HEALTH || kind == HW_EVENT_QUALITY || kind == HW_EVENT_RESPONSE_LEVEL || kind == HW_EVENT_CIRCUIT;
}

static void number_unless_zero(struct record *record, const char *name, uint64_t value)
{
    if (value != 0)
        record_number(record, name, value);
}

static void true_if(struct record *record, const char *name, int32_t value)
{
    if (value != 0)
        record_boolean(record, name, true);
}

static void write_failure(struct record *record, const hw_event *event)
{
    if (event->status == HW_OK)
        return;
    record_word(record, "status", hw_status_name(event->status));
    if (event->layer != HW_LAYER_NONE)
        record_word(record, "layer", name_of(&layer_names, event->layer));
    if (event->native_code != 0)
        record_signed(record, "native_code", event->native_code);
    if (event->http_status != 0)
        record_signed(record, "http_status", event->http_status);
    record_boolean(record, "retryable", event->retryable != 0);
}

static void write_levels(struct record *record, const hw_event *event)
{
    const struct names *names = level_names(event->kind);
    if (names == NULL)
        return;
    record_word(record, "level", name_of(names, event->level));
    if (has_previous_level(event->kind))
        record_word(record, "previous_level", name_of(names, event->previous_level));
}

static int concerns_a_rule(hw_event_kind kind)
{
    return kind == HW_EVENT_BEAT_MISSED || (kind >= HW_EVENT_HEARTBEAT_RECEIVED && kind <= HW_EVENT_BEAT_ACKED);
}

void write_event(FILE *file, bool json, uint64_t client, const hw_event *event)
{
    struct record record = record_begin(file, json, "event", "event", name_of(&event_names, event->kind));
    record_time(&record, "time", event->time_ns);
    number_unless_zero(&record, "client", client);
    number_unless_zero(&record, "epoch", event->epoch);
    record_word(&record, "state", state_name(event->state));
    if (event->kind == HW_EVENT_STATE)
        record_word(&record, "previous_state", state_name(event->previous_state));
    write_failure(&record, event);
    if (event->close_code != 0)
        record_signed(&record, "close_code", event->close_code);
    true_if(&record, "by_peer", event->by_peer);
    number_unless_zero(&record, "attempt", event->attempt);
    number_unless_zero(&record, "attempt_id", event->attempt_id);
    number_unless_zero(&record, "delay_ms", event->delay_ms);
    number_unless_zero(&record, "retry_after_ms", event->retry_after_ms);
    number_unless_zero(&record, "message_id", event->message_id);
    number_unless_zero(&record, "count", event->count);
    true_if(&record, "compressed", event->compressed);
    true_if(&record, "resumed", event->resumed);
    number_unless_zero(&record, "latency_ns", event->latency_ns);
    write_levels(&record, event);
    true_if(&record, "late", event->late);
    if (concerns_a_rule(event->kind) && event->rule >= 0)
        record_number(&record, "rule", (uint64_t)event->rule);
    if (event->began_ns != 0)
        record_time(&record, "began", event->began_ns);
    if (event->last_message_ns != 0)
        record_time(&record, "last_message", event->last_message_ns);
    if (event->text_size > 0)
        record_text(&record, "text", event->text, event->text_size);
    /* A client's header fields may hold credentials. */
    if (event->body_size > 0 && event->kind != HW_EVENT_ACCEPT_DUE)
        record_text(&record, "body", event->body, event->body_size);
    record_end(&record);
}
