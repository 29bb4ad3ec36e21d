/* Makes Erlang terms of what the library delivers. */
#include "heartwire_nif.h"

#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

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

/* What a level means depends on the kind of its event; nil for the kinds whose level does not change. */
static ERL_NIF_TERM level_of(ErlNifEnv *env, const hw_event *event, int32_t level)
{
    switch (event->kind) {
    case HW_EVENT_HEALTH:
        return atom_health_level(env, level);
    case HW_EVENT_QUALITY:
        return atom_quality(env, level);
    case HW_EVENT_RESPONSE_LEVEL:
        return atom_response_level(env, level);
    case HW_EVENT_CIRCUIT:
        return atom_circuit(env, level);
    default:
        return enif_make_atom(env, "nil");
    }
}

/* Some levels are no change from another. */
static ERL_NIF_TERM present_level(ErlNifEnv *env, const hw_event *event)
{
    switch (event->kind) {
    case HW_EVENT_HEARTBEAT_RESPONDED:
        return atom_response_level(env, event->level);
    case HW_EVENT_ROTATION:
        return atom_rotation(env, event->level);
    case HW_EVENT_OUTCOME:
        return atom_outcome(env, event->level);
    case HW_EVENT_ATTEMPT_HELD:
        return atom_holder(env, event->level);
    default:
        return level_of(env, event, event->level);
    }
}

ERL_NIF_TERM term_event(ErlNifEnv *env, const hw_event *event)
{
    const field fields[] = {
        {"kind", atom_event_kind(env, event->kind)},
        {"time_ns", enif_make_uint64(env, event->time_ns)},
        {"epoch", enif_make_uint64(env, event->epoch)},
        {"state", atom_state(env, event->state)},
        {"previous_state", atom_state(env, event->previous_state)},
        {"status", atom_status(env, event->status)},
        {"layer", atom_layer(env, event->layer)},
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

ERL_NIF_TERM term_key(ErlNifEnv *env, const hw_connection *connection)
{
    return enif_make_uint64(env, (uintptr_t)connection);
}

bool get_key(ErlNifEnv *env, ERL_NIF_TERM term, hw_connection **out)
{
    ErlNifUInt64 key;
    if (!enif_get_uint64(env, term, &key)) {
        return false;
    }
    *out = (hw_connection *)(uintptr_t)key;
    return true;
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
        {"state", atom_state(env, metrics->state)},
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
        {"health", atom_health_level(env, health->health)},
        {"quality", atom_quality(env, health->quality)},
        {"response_level", atom_response_level(env, health->response_level)},
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
        {"ping_interval_ns", enif_make_uint64(env, health->ping_interval_ns)},
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
        {"type", atom_property_type(env, property->type)},
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
        {"status", atom_status(env, error->status)},
        {"layer", atom_layer(env, error->layer)},
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
