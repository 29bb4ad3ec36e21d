/*
 * The connection resource: an hw_connection, and the inbox it delivers into unless it is a listener's client.
 *
 * It belongs to the process that opened or adopted it and is released when that process is gone, however it went. Everything the library
 * answers for a stale handle is safe, so sends from other processes need no lock against the release.
 */
#include "heartwire_nif.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    hw_connection *handle;
    inbox *inbox; /* NULL for a listener's client. */
    bool asks_before_connect;
    atomic_bool released;
} connection;

static ErlNifResourceType *connection_type;

/* ---- Life of the resource ------------------------------------------------------------------------------------------------------- */

/* Never blocks: with an inbox, hw_connection_release does not wait for anybody. */
static void release(ErlNifEnv *env, connection *it)
{
    if (!atomic_exchange(&it->released, true)) {
        hw_connection_release(it->handle);
        if (it->inbox != NULL) {
            inbox_abandon(env, it->inbox);
        }
    }
}

static void on_owner_down(ErlNifEnv *env, void *object, ErlNifPid *pid, ErlNifMonitor *monitor)
{
    (void)pid;
    (void)monitor;
    release(env, object);
}

/* One that gets here unreleased was never anybody's, and its inbox never watched. */
static void on_destroyed(ErlNifEnv *env, void *object)
{
    connection *it = object;
    (void)env;
    if (!atomic_exchange(&it->released, true)) {
        hw_connection_release(it->handle);
    }
    if (it->inbox != NULL) {
        enif_release_resource(it->inbox);
    }
}

bool connection_load(ErlNifEnv *env)
{
    const ErlNifResourceTypeInit callbacks = {.dtor = on_destroyed, .down = on_owner_down};
    connection_type = enif_open_resource_type_x(env, "heartwire_connection", &callbacks, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, NULL);
    return connection_type != NULL;
}

static connection *new_connection(void)
{
    connection *it = enif_alloc_resource(connection_type, sizeof *it);
    if (it != NULL) {
        memset(it, 0, sizeof *it);
    }
    return it;
}

/* False, and the connection is released, if the process was killed while the call ran: nobody would ever release it otherwise. */
static bool belongs_to_caller(ErlNifEnv *env, connection *it)
{
    ErlNifPid owner;
    bool is_owned = enif_self(env, &owner) != NULL && enif_monitor_process(env, it, &owner, NULL) == 0;
    if (!is_owned) {
        release(env, it);
    }
    return is_owned;
}

static bool get_connection(ErlNifEnv *env, ERL_NIF_TERM term, connection **out)
{
    return enif_get_resource(env, term, connection_type, (void **)out);
}

bool connection_handle(ErlNifEnv *env, ERL_NIF_TERM term, hw_connection **out)
{
    connection *it;
    if (!get_connection(env, term, &it)) {
        return false;
    }
    *out = it->handle;
    return true;
}

/* ---- Opening -------------------------------------------------------------------------------------------------------------------- */

static hw_status open_with_inbox(hw_config *config, const char *url, void *opened, hw_error *error)
{
    connection *it = opened;
    hw_status status = it->asks_before_connect ? hw_config_before_connect(config, NULL, NULL) : HW_OK;
    if (status == HW_OK) {
        status = inbox_open(config, false, &it->inbox, error);
    }
    return status == HW_OK ? hw_connection_open(config, url, &it->handle, error) : status;
}

/*
 * open(Url, [{text | bytes, Name, Value}], [{Name, Value}], Rules :: [JSON], Steps :: [JSON], AsksBeforeConnect). Runs on a dirty
 * scheduler: the trust store may come from disk.
 */
ERL_NIF_TERM connection_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_error error = {.struct_size = sizeof error};
    connection *it = new_connection();
    if (it == NULL) {
        return term_result(env, HW_E_SYSTEM);
    }
    it->asks_before_connect = enif_is_identical(argv[5], enif_make_atom(env, "true"));
    ERL_NIF_TERM answer;
    hw_status status = open_configured(env, argv, open_with_inbox, it, &error);
    if (status != HW_OK) {
        error.status = status;
        answer = term_error(env, &error);
    } else if (!belongs_to_caller(env, it)) {
        answer = term_result(env, HW_E_HANDLE);
    } else {
        answer = enif_make_tuple3(env, enif_make_atom(env, "ok"), enif_make_resource(env, it), enif_make_resource(env, it->inbox));
    }
    enif_release_resource(it);
    return answer;
}

/* adopt(Key): the client that a delivery of a listener's inbox names belongs to the caller from now on. */
ERL_NIF_TERM connection_adopt(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    if (!get_key(env, argv[0], &handle)) {
        return enif_make_badarg(env);
    }
    connection *it = new_connection();
    if (it == NULL) {
        return term_result(env, HW_E_SYSTEM);
    }
    it->handle = handle;
    ERL_NIF_TERM answer = belongs_to_caller(env, it)
                              ? enif_make_tuple2(env, enif_make_atom(env, "ok"), enif_make_resource(env, it))
                              : term_result(env, HW_E_HANDLE);
    enif_release_resource(it);
    return answer;
}

/* ---- The rest -------------------------------------------------------------------------------------------------------------------- */

/* close(Connection, Code, Reason) */
ERL_NIF_TERM connection_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    unsigned code;
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    char *reason = copy_text(env, argv[2]);
    hw_status status = HW_E_ARGUMENT;
    if (reason != NULL && enif_get_uint(env, argv[1], &code) && code <= UINT16_MAX) {
        status = hw_connection_close(it->handle, (uint16_t)code, reason);
    }
    free(reason);
    return term_result(env, status);
}

/* rotate(Connection) */
ERL_NIF_TERM connection_rotate(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    return connection_handle(env, argv[0], &handle) ? term_result(env, hw_connection_rotate(handle)) : enif_make_badarg(env);
}

/* state(Connection) */
ERL_NIF_TERM connection_state(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    return atom_state(env, hw_connection_state(it->handle));
}

/* peer_address(Connection) */
ERL_NIF_TERM connection_peer_address(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    char text[81];
    size_t size;
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    hw_status status = hw_connection_peer_address(it->handle, text, sizeof text, &size);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), term_binary(env, text, size)) : term_result(env, status);
}

/* metrics(Connection) */
ERL_NIF_TERM connection_metrics(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    hw_metrics metrics = {.struct_size = sizeof metrics};
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    hw_status status = hw_connection_metrics(it->handle, &metrics);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), term_metrics(env, &metrics)) : term_result(env, status);
}

/* health(Connection) */
ERL_NIF_TERM connection_health(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    hw_health health = {.struct_size = sizeof health};
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    hw_status status = hw_connection_health(it->handle, &health);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), term_health(env, &health)) : term_result(env, status);
}
