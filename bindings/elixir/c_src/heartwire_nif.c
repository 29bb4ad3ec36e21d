/* The functions of the module Heartwire.NIF, and the loading of the NIF. */
#include "heartwire_nif.h"

#include <stdlib.h>
#include <time.h>

/* version(): of the loaded library, as in hw_version. */
static ERL_NIF_TERM version(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    (void)argv;
    return enif_make_uint(env, hw_version());
}

/* properties(): the library's table of properties, in its order. */
static ERL_NIF_TERM properties(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    (void)argv;
    ERL_NIF_TERM reversed = enif_make_list(env, 0);
    ERL_NIF_TERM list = reversed;
    hw_property property = {.struct_size = sizeof property};
    for (size_t index = 0; hw_config_describe(index, &property) == HW_OK; index++) {
        reversed = enif_make_list_cell(env, term_property(env, &property), reversed);
    }
    enif_make_reverse_list(env, reversed, &list);
    return list;
}

/* presets(): the library's table of presets, in its order. */
static ERL_NIF_TERM presets(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    (void)argv;
    ERL_NIF_TERM reversed = enif_make_list(env, 0);
    ERL_NIF_TERM list = reversed;
    hw_preset preset = {.struct_size = sizeof preset};
    for (size_t index = 0; hw_preset_describe(index, &preset) == HW_OK; index++) {
        reversed = enif_make_list_cell(env, term_preset(env, &preset), reversed);
    }
    enif_make_reverse_list(env, reversed, &list);
    return list;
}

/* now_ns(): CLOCK_MONOTONIC, by which the library tells times. The VM's monotonic time runs beside it, not with it. */
static ERL_NIF_TERM now_ns(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    (void)argv;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return enif_make_uint64(env, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

/* shutdown(TimeoutMs): closes every connection and tells what could not be finished. Waits, so it runs on a dirty scheduler. */
static ERL_NIF_TERM shut_down(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    unsigned timeout_ms;
    hw_shutdown_report report = {.struct_size = sizeof report};
    if (!enif_get_uint(env, argv[0], &timeout_ms)) {
        return enif_make_badarg(env);
    }
    hw_status status = hw_shutdown(timeout_ms, &report);
    return status == HW_OK || status == HW_E_TIMEOUT ? term_shutdown_report(env, &report) : term_result(env, status);
}

/* metrics_text(): of all connections of the VM. */
static ERL_NIF_TERM metrics_text(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    (void)argv;
    /* Connections that are opened between asking for the size and for the text need more. */
    const size_t spare = 16384;
    char *text = NULL;
    size_t size = 0;
    hw_status status;
    while ((status = hw_metrics_write(text, text == NULL ? 0 : size + spare, &size)) == HW_E_BUFFER) {
        free(text);
        text = malloc(size + spare);
        if (text == NULL) {
            return term_result(env, HW_E_SYSTEM);
        }
    }
    ERL_NIF_TERM result = status == HW_OK ? term_binary(env, text, size) : term_result(env, status);
    free(text);
    return result;
}

static ErlNifFunc functions[] = {
    {"version", 0, version, 0},
    {"now_ns", 0, now_ns, 0},
    {"properties", 0, properties, 0},
    {"presets", 0, presets, 0},
    {"open", 6, connection_open, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"watch", 1, inbox_watch, 0},
    {"take", 1, inbox_take, 0},
    {"send", 3, sending_send, 0},
    {"send_with", 6, sending_send_with, 0},
    {"outcome", 2, sending_outcome, 0},
    {"cancel", 2, sending_cancel, 0},
    {"keep", 4, sending_keep, 0},
    {"rotate", 1, connection_rotate, 0},
    {"proceed", 3, attempt_proceed, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"close", 3, connection_close, 0},
    {"state", 1, connection_state, 0},
    {"peer_address", 1, connection_peer_address, 0},
    {"metrics", 1, connection_metrics, 0},
    {"health", 1, connection_health, 0},
    {"respond", 4, sending_respond, 0},
    {"listen", 6, listener_open, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"adopt", 1, connection_adopt, 0},
    {"port", 1, listener_port, 0},
    {"accept", 4, listener_accept, 0},
    {"join", 3, listener_join, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"leave", 3, listener_leave, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"broadcast", 4, listener_broadcast, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"close_listener", 1, listener_close, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"log", 2, log_set, 0},
    {"log_taken", 0, log_taken, 0},
    {"metrics_text", 0, metrics_text, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"shutdown", 1, shut_down, ERL_NIF_DIRTY_JOB_IO_BOUND},
};

enum { LOADED = 0, WRONG_VERSION = 1, NO_RESOURCE_TYPE = 2, NO_LOCK = 3 };

static int load(ErlNifEnv *env, void **private_data, ERL_NIF_TERM argument)
{
    (void)private_data;
    (void)argument;
    /* The major number is the first byte. An older library may lack what this header declares. */
    if (hw_version() >> 24 != HW_VERSION >> 24 || hw_version() < HW_VERSION) {
        return WRONG_VERSION;
    }
    if (!log_load()) {
        return NO_LOCK;
    }
    return inbox_load(env) && connection_load(env) && listener_load(env) ? LOADED : NO_RESOURCE_TYPE;
}

/* Without an upgrade callback the BEAM refuses to replace the module while it runs: its connections would change their layout. */
ERL_NIF_INIT(Elixir.Heartwire.NIF, functions, load, NULL, NULL, NULL)
