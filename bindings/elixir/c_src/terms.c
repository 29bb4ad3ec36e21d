/* Makes Erlang terms of what the library delivers. */
#include "heartwire_nif.h"

#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A constant of the header and the atom it becomes. */
typedef struct {
    int32_t value;
    const char *atom;
} atom_name;

static const atom_name layers[] = {
    {HW_LAYER_NONE, "none"},           {HW_LAYER_CONFIGURATION, "configuration"},
    {HW_LAYER_RESOLVER, "resolver"},   {HW_LAYER_TCP, "tcp"},
    {HW_LAYER_TLS, "tls"},             {HW_LAYER_HTTP, "http"},
    {HW_LAYER_WEBSOCKET, "websocket"}, {HW_LAYER_HEARTBEAT, "heartbeat"},
    {HW_LAYER_DELIVERY, "delivery"},   {HW_LAYER_SYSTEM, "system"},
    {HW_LAYER_PROXY, "proxy"},
};

static const atom_name states[] = {
    {HW_STATE_DISCONNECTED, "disconnected"}, {HW_STATE_CONNECTING, "connecting"}, {HW_STATE_CONNECTED, "connected"},
    {HW_STATE_RECONNECTING, "reconnecting"}, {HW_STATE_CLOSING, "closing"},       {HW_STATE_FAILED, "failed"},
};

static const atom_name event_kinds[] = {
    {HW_EVENT_STATE, "state"},
    {HW_EVENT_OPENED, "opened"},
    {HW_EVENT_CLOSED, "closed"},
    {HW_EVENT_ATTEMPT_FAILED, "attempt_failed"},
    {HW_EVENT_BEAT_MISSED, "beat_missed"},
    {HW_EVENT_WRITABLE, "writable"},
    {HW_EVENT_SLOW_CONSUMER, "slow_consumer"},
    {HW_EVENT_RELEASED, "released"},
    {HW_EVENT_WARNING, "warning"},
    {HW_EVENT_HEARTBEAT_RECEIVED, "heartbeat_received"},
    {HW_EVENT_HEARTBEAT_RESPONDED, "heartbeat_responded"},
    {HW_EVENT_HEARTBEAT_TIMEOUT, "heartbeat_timeout"},
    {HW_EVENT_HEARTBEAT_FAILURE, "heartbeat_failure"},
    {HW_EVENT_BEAT_SENT, "beat_sent"},
    {HW_EVENT_BEAT_ACKED, "beat_acked"},
    {HW_EVENT_ENGINE_STARTED, "engine_started"},
    {HW_EVENT_ENGINE_STOPPED, "engine_stopped"},
    {HW_EVENT_HEALTH, "health"},
    {HW_EVENT_QUALITY, "quality"},
    {HW_EVENT_RESPONSE_LEVEL, "response_level"},
    {HW_EVENT_RECONNECT_ADVISED, "reconnect_advised"},
    {HW_EVENT_GAP, "gap"},
    {HW_EVENT_ROTATION, "rotation"},
    {HW_EVENT_CIRCUIT, "circuit"},
    {HW_EVENT_OUTCOME, "outcome"},
    {HW_EVENT_CONNECT_DUE, "connect_due"},
    {HW_EVENT_ATTEMPT_HELD, "attempt_held"},
};

static const atom_name health_levels[] = {
    {HW_HEALTH_UNKNOWN, "unknown"},
    {HW_HEALTH_ERROR, "error"},
    {HW_HEALTH_WARNING, "warning"},
    {HW_HEALTH_HEALTHY, "healthy"},
};

static const atom_name qualities[] = {
    {HW_QUALITY_UNKNOWN, "unknown"}, {HW_QUALITY_POOR, "poor"},           {HW_QUALITY_FAIR, "fair"},
    {HW_QUALITY_GOOD, "good"},       {HW_QUALITY_EXCELLENT, "excellent"},
};

static const atom_name response_levels[] = {
    {HW_RESPONSE_ON_TARGET, "on_target"}, {HW_RESPONSE_SLOW, "slow"},       {HW_RESPONSE_WARNING, "warning"},
    {HW_RESPONSE_CRITICAL, "critical"},   {HW_RESPONSE_OVERDUE, "overdue"},
};

static const atom_name rotations[] = {
    {HW_ROTATION_STARTED, "started"},
    {HW_ROTATION_SWITCHED, "switched"},
    {HW_ROTATION_FINISHED, "finished"},
    {HW_ROTATION_FAILED, "failed"},
};

static const atom_name circuits[] = {
    {HW_CIRCUIT_CLOSED, "closed"},
    {HW_CIRCUIT_OPEN, "open"},
    {HW_CIRCUIT_HALF_OPEN, "half_open"},
};

static const atom_name outcomes[] = {
    {HW_OUTCOME_PENDING, "pending"}, {HW_OUTCOME_SENT, "sent"},           {HW_OUTCOME_EXPIRED, "expired"},
    {HW_OUTCOME_DROPPED, "dropped"}, {HW_OUTCOME_CANCELLED, "cancelled"},
};

/* What holds an attempt back: the level of HW_EVENT_ATTEMPT_HELD. */
static const atom_name holders[] = {
    {0, "budget"},
    {1, "circuit"},
};

static const atom_name property_types[] = {
    {HW_PROPERTY_BOOLEAN, "boolean"}, {HW_PROPERTY_INTEGER, "integer"}, {HW_PROPERTY_DURATION, "duration"},
    {HW_PROPERTY_SIZE, "size"},       {HW_PROPERTY_CHOICE, "choice"},   {HW_PROPERTY_TEXT, "text"},
    {HW_PROPERTY_BYTES, "bytes"},
};

/* A newer library may know values that this header does not have: they become unknown. */
static ERL_NIF_TERM atom_of(ErlNifEnv *env, const atom_name *names, size_t count, int32_t value)
{
    for (size_t index = 0; index < count; index++) {
        if (names[index].value == value) {
            return enif_make_atom(env, names[index].atom);
        }
    }
    return enif_make_atom(env, "unknown");
}

/* HW_E_TIMEOUT becomes timeout, HW_OK becomes ok. */
static ERL_NIF_TERM status_atom(ErlNifEnv *env, hw_status status)
{
    const char *name = hw_status_name(status);
    char atom[64];
    size_t size = 0;
    if (strncmp(name, "HW_E_", 5) == 0) {
        name += 5;
    } else if (strncmp(name, "HW_", 3) == 0) {
        name += 3;
    }
    for (; name[size] != '\0' && size < sizeof atom; size++) {
        atom[size] = name[size] >= 'A' && name[size] <= 'Z' ? (char)(name[size] - 'A' + 'a') : name[size];
    }
    return enif_make_atom_len(env, atom, size);
}

static ERL_NIF_TERM boolean(ErlNifEnv *env, int32_t value)
{
    return enif_make_atom(env, value != 0 ? "true" : "false");
}

static ERL_NIF_TERM text(ErlNifEnv *env, const char *string)
{
    return term_binary(env, string, strlen(string));
}

/* One key of a map under construction and its value. */
typedef struct {
    const char *key;
    ERL_NIF_TERM value;
} field;

enum { MAP_FIELDS_MAX = 40 };

static ERL_NIF_TERM map_of(ErlNifEnv *env, const field *fields, size_t count)
{
    ERL_NIF_TERM keys[MAP_FIELDS_MAX];
    ERL_NIF_TERM values[MAP_FIELDS_MAX];
    ERL_NIF_TERM map;
    for (size_t index = 0; index < count; index++) {
        keys[index] = enif_make_atom(env, fields[index].key);
        values[index] = fields[index].value;
    }
    if (!enif_make_map_from_arrays(env, keys, values, count, &map)) {
        return enif_make_badarg(env);
    }
    return map;
}

ERL_NIF_TERM term_binary(ErlNifEnv *env, const void *data, size_t size)
{
    ERL_NIF_TERM binary;
    unsigned char *bytes = enif_make_new_binary(env, size, &binary);
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    return binary;
}

ERL_NIF_TERM term_state(ErlNifEnv *env, hw_state state)
{
    return atom_of(env, states, LENGTH(states), state);
}

ERL_NIF_TERM term_outcome(ErlNifEnv *env, hw_outcome outcome)
{
    return atom_of(env, outcomes, LENGTH(outcomes), outcome);
}

/* What a level means depends on the kind of its event; nil for the kinds whose level does not change. */
static ERL_NIF_TERM level_of(ErlNifEnv *env, const hw_event *event, int32_t level)
{
    switch (event->kind) {
    case HW_EVENT_HEALTH:
        return atom_of(env, health_levels, LENGTH(health_levels), level);
    case HW_EVENT_QUALITY:
        return atom_of(env, qualities, LENGTH(qualities), level);
    case HW_EVENT_RESPONSE_LEVEL:
        return atom_of(env, response_levels, LENGTH(response_levels), level);
    case HW_EVENT_CIRCUIT:
        return atom_of(env, circuits, LENGTH(circuits), level);
    default:
        return enif_make_atom(env, "nil");
    }
}

/* Some levels are no change from another. */
static ERL_NIF_TERM present_level(ErlNifEnv *env, const hw_event *event)
{
    switch (event->kind) {
    case HW_EVENT_HEARTBEAT_RESPONDED:
        return atom_of(env, response_levels, LENGTH(response_levels), event->level);
    case HW_EVENT_ROTATION:
        return atom_of(env, rotations, LENGTH(rotations), event->level);
    case HW_EVENT_OUTCOME:
        return term_outcome(env, event->level);
    case HW_EVENT_ATTEMPT_HELD:
        return atom_of(env, holders, LENGTH(holders), event->level);
    default:
        return level_of(env, event, event->level);
    }
}

ERL_NIF_TERM term_event(ErlNifEnv *env, const hw_event *event)
{
    const field fields[] = {
        {"kind", atom_of(env, event_kinds, LENGTH(event_kinds), event->kind)},
        {"time_ns", enif_make_uint64(env, event->time_ns)},
        {"epoch", enif_make_uint64(env, event->epoch)},
        {"state", term_state(env, event->state)},
        {"previous_state", term_state(env, event->previous_state)},
        {"status", status_atom(env, event->status)},
        {"layer", atom_of(env, layers, LENGTH(layers), event->layer)},
        {"native_code", enif_make_int(env, event->native_code)},
        {"http_status", enif_make_int(env, event->http_status)},
        {"close_code", enif_make_int(env, event->close_code)},
        {"retryable", boolean(env, event->retryable)},
        {"by_peer", boolean(env, event->by_peer)},
        {"attempt", enif_make_uint(env, event->attempt)},
        {"delay_ms", enif_make_uint64(env, event->delay_ms)},
        {"count", enif_make_uint64(env, event->count)},
        {"text", term_binary(env, event->text, event->text_size)},
        {"body", term_binary(env, event->body, event->body_size)},
        {"compressed", boolean(env, event->compressed)},
        {"resumed", boolean(env, event->resumed)},
        {"retry_after_ms", enif_make_uint64(env, event->retry_after_ms)},
        {"latency_ns", enif_make_uint64(env, event->latency_ns)},
        {"level", present_level(env, event)},
        {"previous_level", level_of(env, event, event->previous_level)},
        {"late", boolean(env, event->late)},
        {"rule", event->rule < 0 ? enif_make_atom(env, "nil") : enif_make_int(env, event->rule)},
        {"message_id", enif_make_uint64(env, event->message_id)},
        {"attempt_id", enif_make_uint64(env, event->attempt_id)},
        {"began_ns", enif_make_uint64(env, event->began_ns)},
        {"last_message_ns", enif_make_uint64(env, event->last_message_ns)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "An event has more fields than a map may have.");
    return map_of(env, fields, LENGTH(fields));
}

static ERL_NIF_TERM message_or_part(ErlNifEnv *env, const hw_message *message)
{
    bool is_text = message->kind == HW_TEXT;
    bool is_first = (message->flags & HW_MESSAGE_CONTINUED) == 0;
    bool is_last = (message->flags & HW_MESSAGE_MORE) == 0;
    ERL_NIF_TERM data = term_binary(env, message->data, message->size);
    if (is_first && is_last) {
        return enif_make_tuple2(env, enif_make_atom(env, is_text ? "text" : "binary"), data);
    }
    const char *position = is_first ? "first" : is_last ? "last" : "middle";
    return enif_make_tuple3(env, enif_make_atom(env, is_text ? "text_part" : "binary_part"), data, enif_make_atom(env, position));
}

ERL_NIF_TERM term_message(ErlNifEnv *env, const hw_message *message)
{
    return enif_make_tuple3(env, message_or_part(env, message), enif_make_uint64(env, message->received_ns),
                            enif_make_uint64(env, message->epoch));
}

ERL_NIF_TERM term_metrics(ErlNifEnv *env, const hw_metrics *metrics)
{
    const field fields[] = {
        {"state", term_state(env, metrics->state)},
        {"messages_received", enif_make_uint64(env, metrics->messages_received)},
        {"messages_sent", enif_make_uint64(env, metrics->messages_sent)},
        {"bytes_received", enif_make_uint64(env, metrics->bytes_received)},
        {"bytes_sent", enif_make_uint64(env, metrics->bytes_sent)},
        {"beats_sent", enif_make_uint64(env, metrics->beats_sent)},
        {"beats_missed", enif_make_uint64(env, metrics->beats_missed)},
        {"pings_received", enif_make_uint64(env, metrics->pings_received)},
        {"pongs_sent", enif_make_uint64(env, metrics->pongs_sent)},
        {"pongs_received", enif_make_uint64(env, metrics->pongs_received)},
        {"reconnections", enif_make_uint64(env, metrics->reconnections)},
        {"attempts_failed", enif_make_uint64(env, metrics->attempts_failed)},
        {"errors", enif_make_uint64(env, metrics->errors)},
        {"messages_dropped", enif_make_uint64(env, metrics->messages_dropped)},
        {"queue_messages", enif_make_uint64(env, metrics->queue_messages)},
        {"queue_bytes", enif_make_uint64(env, metrics->queue_bytes)},
        {"uptime_ms", enif_make_uint64(env, metrics->uptime_ms)},
        {"last_message_ns", enif_make_uint64(env, metrics->last_message_ns)},
        {"rtt_last_ns", enif_make_uint64(env, metrics->rtt_last_ns)},
        {"rtt_mean_ns", enif_make_uint64(env, metrics->rtt_mean_ns)},
        {"epoch", enif_make_uint64(env, metrics->epoch)},
        {"attempts", enif_make_uint64(env, metrics->attempts)},
        {"rotations", enif_make_uint64(env, metrics->rotations)},
        {"duplicates_dropped", enif_make_uint64(env, metrics->duplicates_dropped)},
        {"queue_expired", enif_make_uint64(env, metrics->queue_expired)},
        {"queue_dropped", enif_make_uint64(env, metrics->queue_dropped)},
        {"queue_cancelled", enif_make_uint64(env, metrics->queue_cancelled)},
        {"kept_messages", enif_make_uint64(env, metrics->kept_messages)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "The metrics have more fields than a map may have.");
    return map_of(env, fields, LENGTH(fields));
}

ERL_NIF_TERM term_health(ErlNifEnv *env, const hw_health *health)
{
    const field fields[] = {
        {"health", atom_of(env, health_levels, LENGTH(health_levels), health->health)},
        {"quality", atom_of(env, qualities, LENGTH(qualities), health->quality)},
        {"response_level", atom_of(env, response_levels, LENGTH(response_levels), health->response_level)},
        {"failures_in_a_row", enif_make_uint64(env, health->failures_in_a_row)},
        {"responses", enif_make_uint64(env, health->responses)},
        {"response_last_ns", enif_make_uint64(env, health->response_last_ns)},
        {"response_min_ns", enif_make_uint64(env, health->response_min_ns)},
        {"response_mean_ns", enif_make_uint64(env, health->response_mean_ns)},
        {"response_median_ns", enif_make_uint64(env, health->response_median_ns)},
        {"response_p99_ns", enif_make_uint64(env, health->response_p99_ns)},
        {"response_max_ns", enif_make_uint64(env, health->response_max_ns)},
        {"responses_total", enif_make_uint64(env, health->responses_total)},
        {"responses_median_ns", enif_make_uint64(env, health->responses_median_ns)},
        {"responses_p99_ns", enif_make_uint64(env, health->responses_p99_ns)},
        {"responses_p999_ns", enif_make_uint64(env, health->responses_p999_ns)},
        {"responses_max_ns", enif_make_uint64(env, health->responses_max_ns)},
        {"round_trips", enif_make_uint64(env, health->round_trips)},
        {"round_trip_variance_ms2", enif_make_uint64(env, health->round_trip_variance_ms2)},
        {"round_trip_last_ns", enif_make_uint64(env, health->round_trip_last_ns)},
        {"round_trip_mean_ns", enif_make_uint64(env, health->round_trip_mean_ns)},
        {"round_trip_min_ns", enif_make_uint64(env, health->round_trip_min_ns)},
        {"round_trip_max_ns", enif_make_uint64(env, health->round_trip_max_ns)},
        {"timestamps", enif_make_uint64(env, health->timestamps)},
        {"one_way_raw_ns", enif_make_int64(env, health->one_way_raw_ns)},
        {"one_way_ns", enif_make_int64(env, health->one_way_ns)},
        {"clock_offset_ns", enif_make_int64(env, health->clock_offset_ns)},
        {"silent_ns", enif_make_uint64(env, health->silent_ns)},
        {"data_silent_ns", enif_make_uint64(env, health->data_silent_ns)},
        {"heartbeats_received", enif_make_uint64(env, health->heartbeats_received)},
        {"heartbeats_answered", enif_make_uint64(env, health->heartbeats_answered)},
        {"heartbeats_failed", enif_make_uint64(env, health->heartbeats_failed)},
        {"beats_acked", enif_make_uint64(env, health->beats_acked)},
        {"beats_late", enif_make_uint64(env, health->beats_late)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "The health has more fields than a map may have.");
    return map_of(env, fields, LENGTH(fields));
}

ERL_NIF_TERM term_shutdown_report(ErlNifEnv *env, const hw_shutdown_report *report)
{
    const field fields[] = {
        {"connections", enif_make_uint(env, report->connections)},
        {"connections_cut", enif_make_uint(env, report->connections_cut)},
        {"connections_unsent", enif_make_uint(env, report->connections_unsent)},
        {"messages_unsent", enif_make_uint64(env, report->messages_unsent)},
        {"bytes_unsent", enif_make_uint64(env, report->bytes_unsent)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "The report has more fields than a map may have.");
    return map_of(env, fields, LENGTH(fields));
}

ERL_NIF_TERM term_preset(ErlNifEnv *env, const hw_preset *preset)
{
    const field fields[] = {
        {"name", text(env, preset->name)},
        {"services", text(env, preset->services)},
        {"source", text(env, preset->source)},
        {"rule", text(env, preset->rule)},
        {"parameters", text(env, preset->parameters)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "A preset has more fields than a map may have.");
    return map_of(env, fields, LENGTH(fields));
}

ERL_NIF_TERM term_property(ErlNifEnv *env, const hw_property *property)
{
    const field fields[] = {
        {"name", text(env, property->name)},
        {"type", atom_of(env, property_types, LENGTH(property_types), property->type)},
        {"default", text(env, property->default_value)},
        {"range", text(env, property->range)},
        {"unit", text(env, property->unit)},
        {"since", text(env, property->since)},
        {"doc", text(env, property->doc)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "A property has more fields than a map may have.");
    return map_of(env, fields, LENGTH(fields));
}

ERL_NIF_TERM term_error(ErlNifEnv *env, const hw_error *error)
{
    const field fields[] = {
        {"status", status_atom(env, error->status)},
        {"layer", atom_of(env, layers, LENGTH(layers), error->layer)},
        {"native_code", enif_make_int(env, error->native_code)},
        {"http_status", enif_make_int(env, error->http_status)},
        {"close_code", enif_make_int(env, error->close_code)},
        {"retryable", boolean(env, error->retryable)},
        {"message", text(env, error->message)},
    };
    _Static_assert(LENGTH(fields) <= MAP_FIELDS_MAX, "An error has more fields than a map may have.");
    return enif_make_tuple2(env, enif_make_atom(env, "error"), map_of(env, fields, LENGTH(fields)));
}

ERL_NIF_TERM term_result(ErlNifEnv *env, hw_status status)
{
    if (status == HW_OK) {
        return enif_make_atom(env, "ok");
    }
    hw_error error = {.struct_size = sizeof error, .status = status};
    return term_error(env, &error);
}
