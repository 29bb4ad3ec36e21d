/*
 * The listener resource: an hw_listener, and the inbox that all of its clients deliver into.
 *
 * It belongs to the process that opened it and is closed when that process is gone, however it went.
 */
#include "heartwire_nif.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    hw_listener *handle;
    inbox *inbox;
    bool asks_before_accept;
    atomic_bool released;
} listener;

static ErlNifResourceType *listener_type;

/* ---- Life of the resource ------------------------------------------------------------------------------------------------------- */

/* Threads that close listeners, for who opens one to wait for: it may be at the same address. */
static pthread_mutex_t closing_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t closing_ended = PTHREAD_COND_INITIALIZER;
static unsigned closing_count;

static void count_closing(int change)
{
    pthread_mutex_lock(&closing_lock);
    closing_count += (unsigned)change;
    pthread_cond_broadcast(&closing_ended);
    pthread_mutex_unlock(&closing_lock);
}

static void await_closing(void)
{
    pthread_mutex_lock(&closing_lock);
    while (closing_count > 0) {
        pthread_cond_wait(&closing_ended, &closing_lock);
    }
    pthread_mutex_unlock(&closing_lock);
}

static void *close_handle(void *handle)
{
    hw_listener_close(handle);
    count_closing(-1);
    return NULL;
}

/* Every client is told, which takes too long for the scheduler on which a process's death is reported. */
static void close_aside(hw_listener *handle)
{
    pthread_t thread;
    count_closing(1);
    if (pthread_create(&thread, NULL, close_handle, handle) == 0) {
        pthread_detach(thread);
    } else {
        close_handle(handle);
    }
}

static void release(ErlNifEnv *env, listener *it)
{
    if (!atomic_exchange(&it->released, true)) {
        close_aside(it->handle);
        inbox_abandon(env, it->inbox);
    }
}

static void on_owner_down(ErlNifEnv *env, void *object, ErlNifPid *pid, ErlNifMonitor *monitor)
{
    (void)pid;
    (void)monitor;
    release(env, object);
}

/* One that gets here unreleased was never opened, and its inbox never watched. */
static void on_destroyed(ErlNifEnv *env, void *object)
{
    listener *it = object;
    (void)env;
    if (it->inbox != NULL) {
        enif_release_resource(it->inbox);
    }
}

bool listener_load(ErlNifEnv *env)
{
    const ErlNifResourceTypeInit callbacks = {.dtor = on_destroyed, .down = on_owner_down};
    listener_type = enif_open_resource_type_x(env, "heartwire_listener", &callbacks, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, NULL);
    return listener_type != NULL;
}

static bool get_listener(ErlNifEnv *env, ERL_NIF_TERM term, listener **out)
{
    return enif_get_resource(env, term, listener_type, (void **)out);
}

/* ---- Opening -------------------------------------------------------------------------------------------------------------------- */

static hw_status open_with_inbox(hw_config *config, const char *url, void *opened, hw_error *error)
{
    listener *it = opened;
    hw_status status = it->asks_before_accept ? hw_config_before_accept(config, NULL, NULL) : HW_OK;
    if (status == HW_OK) {
        status = inbox_open(config, true, &it->inbox, error);
    }
    return status == HW_OK ? hw_listener_open(config, url, &it->handle, error) : status;
}

/*
 * listen(Url, [{text | bytes, Name, Value}], [{Name, Value}], Rules :: [JSON], Steps :: [JSON], AsksBeforeAccept). Runs on a dirty
 * scheduler: the host's name may have to be resolved.
 */
ERL_NIF_TERM listener_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_error error = {.struct_size = sizeof error};
    ErlNifPid owner;
    listener *it = enif_alloc_resource(listener_type, sizeof *it);
    if (it == NULL) {
        return term_result(env, HW_E_SYSTEM);
    }
    memset(it, 0, sizeof *it);
    it->asks_before_accept = enif_is_identical(argv[5], enif_make_atom(env, "true"));

    ERL_NIF_TERM answer;
    await_closing();
    hw_status status = open_configured(env, argv, open_with_inbox, it, &error);
    if (status != HW_OK) {
        error.status = status;
        answer = term_error(env, &error);
    } else if (enif_self(env, &owner) == NULL || enif_monitor_process(env, it, &owner, NULL) != 0) {
        /* The process was killed while the call ran: nobody would ever close the listener. */
        release(env, it);
        answer = term_result(env, HW_E_HANDLE);
    } else {
        answer = enif_make_tuple3(env, enif_make_atom(env, "ok"), enif_make_resource(env, it), enif_make_resource(env, it->inbox));
    }
    enif_release_resource(it);
    return answer;
}

/* ---- The rest -------------------------------------------------------------------------------------------------------------------- */

/* port(Listener) */
ERL_NIF_TERM listener_port(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    listener *it;
    uint16_t port = 0;
    if (!get_listener(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    hw_status status = hw_listener_port(it->handle, &port);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), enif_make_uint(env, port)) : term_result(env, status);
}

/* accept(Connection, AttemptId, Status, Reason): 0 lets the client in, another HTTP status turns it away with the reason. */
ERL_NIF_TERM listener_accept(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifUInt64 attempt_id;
    unsigned http_status;
    if (!connection_handle(env, argv[0], &handle) || !enif_get_uint64(env, argv[1], &attempt_id)) {
        return enif_make_badarg(env);
    }
    char *reason = copy_text(env, argv[3]);
    hw_status status = HW_E_ARGUMENT;
    if (reason != NULL && enif_get_uint(env, argv[2], &http_status) && http_status <= UINT16_MAX) {
        status = hw_connection_accept(handle, attempt_id, (uint16_t)http_status, reason);
    }
    free(reason);
    return term_result(env, status);
}

typedef hw_status group_function(hw_listener *listener, hw_connection *connection, const char *group);

static ERL_NIF_TERM change_group(ErlNifEnv *env, const ERL_NIF_TERM argv[], group_function *change)
{
    listener *it;
    hw_connection *handle;
    if (!get_listener(env, argv[0], &it) || !connection_handle(env, argv[1], &handle)) {
        return enif_make_badarg(env);
    }
    char *group = copy_text(env, argv[2]);
    hw_status status = group == NULL ? HW_E_ARGUMENT : change(it->handle, handle, group);
    free(group);
    return term_result(env, status);
}

/* join(Listener, Connection, Group). Runs on a dirty scheduler, as leave: there may be very many groups to look through. */
ERL_NIF_TERM listener_join(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    return change_group(env, argv, hw_listener_join);
}

/* leave(Listener, Connection, Group) */
ERL_NIF_TERM listener_leave(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    return change_group(env, argv, hw_listener_leave);
}

/* broadcast(Listener, Group | nil, text | binary, Data). Runs on a dirty scheduler: it writes to every client. */
ERL_NIF_TERM listener_broadcast(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    listener *it;
    ErlNifBinary data;
    uint64_t reached = 0;
    if (!get_listener(env, argv[0], &it) || !enif_inspect_binary(env, argv[3], &data)) {
        return enif_make_badarg(env);
    }
    bool is_for_all = enif_is_identical(argv[1], enif_make_atom(env, "nil"));
    char *group = is_for_all ? NULL : copy_text(env, argv[1]);
    hw_status status = HW_E_ARGUMENT;
    if (is_for_all || group != NULL) {
        status = hw_listener_broadcast(it->handle, group, kind_of(env, argv[2]), data.data, data.size, &reached);
    }
    free(group);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), enif_make_uint64(env, reached)) : term_result(env, status);
}

/* close_listener(Listener): nobody is let in any more; what the clients say until they have gone is still taken from the inbox. Runs on a
   dirty scheduler: every client is told. */
ERL_NIF_TERM listener_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    listener *it;
    if (!get_listener(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    hw_listener_close(it->handle);
    return enif_make_atom(env, "ok");
}
