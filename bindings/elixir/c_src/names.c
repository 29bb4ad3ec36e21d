/* The atoms that stand for the constants of heartwire.h. */
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
    {HW_EVENT_ACCEPT_DUE, "accept_due"},
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

ERL_NIF_TERM atom_status(ErlNifEnv *env, hw_status status)
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

ERL_NIF_TERM atom_layer(ErlNifEnv *env, hw_layer value)
{
    return atom_of(env, layers, LENGTH(layers), value);
}

ERL_NIF_TERM atom_state(ErlNifEnv *env, hw_state value)
{
    return atom_of(env, states, LENGTH(states), value);
}

ERL_NIF_TERM atom_event_kind(ErlNifEnv *env, hw_event_kind value)
{
    return atom_of(env, event_kinds, LENGTH(event_kinds), value);
}

ERL_NIF_TERM atom_health_level(ErlNifEnv *env, hw_health_level value)
{
    return atom_of(env, health_levels, LENGTH(health_levels), value);
}

ERL_NIF_TERM atom_quality(ErlNifEnv *env, hw_quality value)
{
    return atom_of(env, qualities, LENGTH(qualities), value);
}

ERL_NIF_TERM atom_response_level(ErlNifEnv *env, hw_response_level value)
{
    return atom_of(env, response_levels, LENGTH(response_levels), value);
}

ERL_NIF_TERM atom_rotation(ErlNifEnv *env, hw_rotation value)
{
    return atom_of(env, rotations, LENGTH(rotations), value);
}

ERL_NIF_TERM atom_circuit(ErlNifEnv *env, hw_circuit value)
{
    return atom_of(env, circuits, LENGTH(circuits), value);
}

ERL_NIF_TERM atom_outcome(ErlNifEnv *env, hw_outcome value)
{
    return atom_of(env, outcomes, LENGTH(outcomes), value);
}

ERL_NIF_TERM atom_holder(ErlNifEnv *env, int32_t value)
{
    return atom_of(env, holders, LENGTH(holders), value);
}

ERL_NIF_TERM atom_property_type(ErlNifEnv *env, hw_property_type value)
{
    return atom_of(env, property_types, LENGTH(property_types), value);
}
