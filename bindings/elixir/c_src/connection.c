/*
 * The connection resource: an hw_connection, the hw_inbox it delivers into, and the descriptor by which the BEAM watches that inbox.
 *
 * It belongs to the process that opened it and is released when that process is gone, however it went. Everything the library
 * answers for a stale handle is safe, so sends from other processes need no lock against the release.
 */
#include "heartwire_nif.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH_MAX = 128,           /* Deliveries taken at once from the inbox. */
    TAKE_BYTES_MAX = 64 * 1024 /* Payload copied in one call on an ordinary scheduler. Page faults are what takes time. */
};

/*
 * Taken deliveries are borrowed from the inbox, and a killed process may still be copying one on a dirty scheduler when its death is
 * reported. So whoever comes last, the copier or the reporter, releases the inbox.
 */
enum { INBOX_IDLE, INBOX_TAKING, INBOX_ABANDONED };

typedef struct {
    hw_connection *handle;
    hw_inbox *inbox;
    int fd; /* A duplicate of the inbox's: the BEAM may watch it a little longer than the inbox lives. */
    atomic_bool released;
    atomic_int inbox_use;
    size_t batch_size;
    size_t batch_next; /* The first delivery of the batch that has not been handed over. */
    hw_delivery batch[BATCH_MAX];
} connection;

static ErlNifResourceType *connection_type;

/* ---- Life of the resource ------------------------------------------------------------------------------------------------------- */

static void abandon_inbox(connection *it)
{
    if (atomic_exchange(&it->inbox_use, INBOX_ABANDONED) == INBOX_IDLE) {
        hw_inbox_release(it->inbox);
    }
}

static bool begin_take(connection *it)
{
    int idle = INBOX_IDLE;
    return atomic_compare_exchange_strong(&it->inbox_use, &idle, INBOX_TAKING);
}

static void end_take(connection *it)
{
    int taking = INBOX_TAKING;
    if (!atomic_compare_exchange_strong(&it->inbox_use, &taking, INBOX_IDLE)) {
        hw_inbox_release(it->inbox);
    }
}

/* Never blocks: with an inbox, hw_connection_release does not wait for anybody. */
static void release(ErlNifEnv *env, connection *it)
{
    if (!atomic_exchange(&it->released, true)) {
        hw_connection_release(it->handle);
        abandon_inbox(it);
        enif_select(env, it->fd, ERL_NIF_SELECT_STOP, it, NULL, enif_make_atom(env, "undefined"));
    }
}

static void on_owner_down(ErlNifEnv *env, void *object, ErlNifPid *pid, ErlNifMonitor *monitor)
{
    (void)pid;
    (void)monitor;
    release(env, object);
}

/* No poll thread looks at the descriptor any more. */
static void on_select_stopped(ErlNifEnv *env, void *object, ErlNifEvent fd, int is_direct_call)
{
    (void)env;
    (void)object;
    (void)is_direct_call;
    close(fd);
}

/* A watched resource is kept alive by the BEAM, so one that gets here unreleased was never watched. */
static void on_destroyed(ErlNifEnv *env, void *object)
{
    connection *it = object;
    (void)env;
    if (!atomic_exchange(&it->released, true)) {
        hw_connection_release(it->handle);
        abandon_inbox(it);
        if (it->fd >= 0) {
            close(it->fd);
        }
    }
}

bool connection_load(ErlNifEnv *env)
{
    const ErlNifResourceTypeInit callbacks = {.dtor = on_destroyed, .stop = on_select_stopped, .down = on_owner_down};
    connection_type = enif_open_resource_type_x(env, "heartwire_connection", &callbacks, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, NULL);
    return connection_type != NULL;
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

static hw_status open_with_inbox(connection *it, hw_config *config, const char *url, hw_error *error)
{
    hw_status status = hw_inbox_new(config, &it->inbox);
    if (status != HW_OK) {
        return fail(error, status, HW_LAYER_DELIVERY, "No inbox could be made.");
    }
    it->fd = fcntl(hw_inbox_fd(it->inbox), F_DUPFD_CLOEXEC, 0);
    if (it->fd < 0) {
        error->native_code = errno;
        return fail(error, HW_E_SYSTEM, HW_LAYER_SYSTEM, "The inbox's descriptor could not be duplicated; raise the limit (ulimit -n).");
    }
    status = hw_config_set_inbox(config, it->inbox, NULL);
    if (status != HW_OK) {
        return fail(error, status, HW_LAYER_CONFIGURATION, "The configuration does not take the inbox.");
    }
    return hw_connection_open(config, url, &it->handle, error);
}

static hw_status open_url(ErlNifEnv *env, connection *it, const ERL_NIF_TERM argv[], hw_error *error)
{
    hw_config *config = NULL;
    char *url = copy_text(env, argv[0]);
    hw_status status = url == NULL ? fail(error, HW_E_URL, HW_LAYER_CONFIGURATION, "The URL must be a binary without NUL bytes.")
                                   : hw_config_new(&config);
    if (status == HW_OK) {
        status = configure(env, config, argv + 1, error);
    }
    if (status == HW_OK && enif_is_identical(argv[5], enif_make_atom(env, "true"))) {
        status = hw_config_before_connect(config, NULL, NULL);
    }
    if (status == HW_OK) {
        status = open_with_inbox(it, config, url, error);
    }
    hw_config_free(config);
    free(url);
    return status;
}

/*
 * open(Url, [{text | bytes, Name, Value}], [{Name, Value}], Rules :: [JSON], Steps :: [JSON], AsksBeforeConnect). Runs on a dirty
 * scheduler: the trust store may come from disk.
 */
ERL_NIF_TERM connection_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_error error = {.struct_size = sizeof error};
    ErlNifPid owner;
    connection *it = enif_alloc_resource(connection_type, sizeof *it);
    if (it == NULL) {
        return term_result(env, HW_E_SYSTEM);
    }
    memset(it, 0, sizeof *it);
    it->fd = -1;

    ERL_NIF_TERM answer;
    hw_status status = open_url(env, it, argv, &error);
    if (status != HW_OK) {
        error.status = status;
        answer = term_error(env, &error);
    } else if (enif_self(env, &owner) == NULL || enif_monitor_process(env, it, &owner, NULL) != 0) {
        /* The process was killed while the call ran: nobody would ever release the connection. */
        release(env, it);
        answer = term_result(env, HW_E_HANDLE);
    } else {
        answer = enif_make_tuple2(env, enif_make_atom(env, "ok"), enif_make_resource(env, it));
    }
    enif_release_resource(it);
    return answer;
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------------------ */

/* watch(Connection): the caller gets {select, Connection, undefined, ready_input} once when something waits in the inbox. */
ERL_NIF_TERM connection_watch(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    if (atomic_load(&it->released)) {
        return term_result(env, HW_E_HANDLE);
    }
    int result = enif_select(env, it->fd, ERL_NIF_SELECT_READ, it, NULL, enif_make_atom(env, "undefined"));
    return term_result(env, result < 0 ? HW_E_SYSTEM : HW_OK);
}

static ERL_NIF_TERM term_delivery(ErlNifEnv *env, const hw_delivery *delivery)
{
    if (delivery->event != NULL) {
        return enif_make_tuple2(env, enif_make_atom(env, "event"), term_event(env, delivery->event));
    }
    return term_message(env, &delivery->message);
}

/* The next delivery of the batch, or of the next batch once that is used up; NULL if nothing waits. */
static const hw_delivery *next_delivery(connection *it)
{
    if (it->batch_next == it->batch_size) {
        size_t count = 0;
        it->batch_next = 0;
        it->batch_size = hw_inbox_take(it->inbox, it->batch, BATCH_MAX, &count, 0) == HW_OK ? count : 0;
    }
    return it->batch_next < it->batch_size ? &it->batch[it->batch_next] : NULL;
}

/* The rest of the batch, as far as its payloads fit into TAKE_BYTES_MAX. */
static ERL_NIF_TERM take_batch(ErlNifEnv *env, connection *it)
{
    ERL_NIF_TERM terms[BATCH_MAX];
    unsigned count = 0;
    size_t bytes = 0;
    while (it->batch_next < it->batch_size && bytes + it->batch[it->batch_next].message.size <= TAKE_BYTES_MAX) {
        const hw_delivery *delivery = &it->batch[it->batch_next++];
        bytes += delivery->message.size;
        terms[count++] = term_delivery(env, delivery);
    }
    enif_consume_timeslice(env, 1 + (int)(bytes * 10 / TAKE_BYTES_MAX));
    return enif_make_list_from_array(env, terms, count);
}

static ERL_NIF_TERM take_large(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    connection *it;
    ERL_NIF_TERM list = enif_make_list(env, 0);
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    if (begin_take(it)) {
        const hw_delivery *delivery = next_delivery(it);
        if (delivery != NULL) {
            list = enif_make_list1(env, term_delivery(env, delivery));
            it->batch_next++;
        }
        end_take(it);
    }
    return list;
}

/* take(Connection): what waits, oldest first, as much as one call may copy; [] if nothing does. */
ERL_NIF_TERM connection_take(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    connection *it;
    if (!get_connection(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    if (!begin_take(it)) {
        return enif_make_list(env, 0);
    }
    const hw_delivery *next = next_delivery(it);
    bool is_large = next != NULL && next->message.size > TAKE_BYTES_MAX;
    ERL_NIF_TERM list = is_large ? enif_make_list(env, 0) : take_batch(env, it);
    end_take(it);
    return is_large ? enif_schedule_nif(env, "take", ERL_NIF_DIRTY_JOB_CPU_BOUND, take_large, argc, argv) : list;
}

/* ---- The rest ---------------------------------------------------------------------------------------------------------------------- */

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
