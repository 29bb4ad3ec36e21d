/*
 * The inbox resource: an hw_inbox, and the descriptor by which the BEAM watches it.
 *
 * It belongs to a connection or a listener, which abandons it in its end.
 */
#include "heartwire_nif.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
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
enum { IDLE, TAKING, ABANDONED };

struct inbox {
    hw_inbox *handle;
    int fd; /* A duplicate of the inbox's: the BEAM may watch it a little longer than the inbox lives. */
    bool is_shared;
    atomic_int use;
    size_t batch_size;
    size_t batch_next; /* The first delivery of the batch that has not been handed over. */
    hw_delivery batch[BATCH_MAX];
};

static ErlNifResourceType *inbox_type;

/* ---- Life of the resource ------------------------------------------------------------------------------------------------------- */

/* False if that was done before. */
static bool abandon(inbox *it)
{
    int before = atomic_exchange(&it->use, ABANDONED);
    if (before == IDLE) {
        hw_inbox_release(it->handle);
    }
    return before != ABANDONED;
}

static bool begin_take(inbox *it)
{
    int idle = IDLE;
    return atomic_compare_exchange_strong(&it->use, &idle, TAKING);
}

static void end_take(inbox *it)
{
    int taking = TAKING;
    if (!atomic_compare_exchange_strong(&it->use, &taking, IDLE)) {
        hw_inbox_release(it->handle);
    }
}

void inbox_abandon(ErlNifEnv *env, inbox *it)
{
    if (abandon(it)) {
        enif_select(env, it->fd, ERL_NIF_SELECT_STOP, it, NULL, enif_make_atom(env, "undefined"));
    }
}

/* No poll thread looks at the descriptor any more. */
static void on_select_stopped(ErlNifEnv *env, void *object, ErlNifEvent fd, int is_direct_call)
{
    (void)env;
    (void)object;
    (void)is_direct_call;
    close(fd);
}

/* A watched resource is kept alive by the BEAM, so one that gets here with its inbox was never watched. */
static void on_destroyed(ErlNifEnv *env, void *object)
{
    inbox *it = object;
    (void)env;
    if (abandon(it) && it->fd >= 0) {
        close(it->fd);
    }
}

bool inbox_load(ErlNifEnv *env)
{
    const ErlNifResourceTypeInit callbacks = {.dtor = on_destroyed, .stop = on_select_stopped};
    inbox_type = enif_open_resource_type_x(env, "heartwire_inbox", &callbacks, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, NULL);
    return inbox_type != NULL;
}

static hw_status fill(inbox *it, hw_config *config, hw_error *error)
{
    hw_status status = hw_inbox_new(config, &it->handle);
    if (status != HW_OK) {
        return fail(error, status, HW_LAYER_DELIVERY, "No inbox could be made.");
    }
    it->fd = fcntl(hw_inbox_fd(it->handle), F_DUPFD_CLOEXEC, 0);
    if (it->fd < 0) {
        error->native_code = errno;
        return fail(error, HW_E_SYSTEM, HW_LAYER_SYSTEM, "The inbox's descriptor could not be duplicated; raise the limit (ulimit -n).");
    }
    status = hw_config_set_inbox(config, it->handle, NULL);
    return status == HW_OK ? HW_OK : fail(error, status, HW_LAYER_CONFIGURATION, "The configuration does not take the inbox.");
}

hw_status inbox_open(hw_config *config, bool is_shared, inbox **out, hw_error *error)
{
    inbox *it = enif_alloc_resource(inbox_type, sizeof *it);
    if (it == NULL) {
        return fail(error, HW_E_SYSTEM, HW_LAYER_SYSTEM, "There is no memory for an inbox.");
    }
    memset(it, 0, sizeof *it);
    it->fd = -1;
    it->is_shared = is_shared;
    hw_status status = fill(it, config, error);
    if (status != HW_OK) {
        enif_release_resource(it);
        return status;
    }
    *out = it;
    return HW_OK;
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------------------ */

static bool get_inbox(ErlNifEnv *env, ERL_NIF_TERM term, inbox **out)
{
    return enif_get_resource(env, term, inbox_type, (void **)out);
}

/* watch(Inbox): the caller gets {select, Inbox, undefined, ready_input} once when something waits. */
ERL_NIF_TERM inbox_watch(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    inbox *it;
    if (!get_inbox(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    if (atomic_load(&it->use) == ABANDONED) {
        return term_result(env, HW_E_HANDLE);
    }
    int result = enif_select(env, it->fd, ERL_NIF_SELECT_READ, it, NULL, enif_make_atom(env, "undefined"));
    return term_result(env, result < 0 ? HW_E_SYSTEM : HW_OK);
}

static ERL_NIF_TERM term_delivery(ErlNifEnv *env, const inbox *it, const hw_delivery *delivery)
{
    ERL_NIF_TERM term = delivery->event != NULL
                            ? enif_make_tuple2(env, enif_make_atom(env, "event"), term_event(env, delivery->event))
                            : term_message(env, &delivery->message);
    return it->is_shared ? enif_make_tuple2(env, term_key(env, delivery->connection), term) : term;
}

/* The next delivery of the batch, or of the next batch once that is used up; NULL if nothing waits. */
static const hw_delivery *next_delivery(inbox *it)
{
    if (it->batch_next == it->batch_size) {
        size_t count = 0;
        it->batch_next = 0;
        it->batch_size = hw_inbox_take(it->handle, it->batch, BATCH_MAX, &count, 0) == HW_OK ? count : 0;
    }
    return it->batch_next < it->batch_size ? &it->batch[it->batch_next] : NULL;
}

/* The rest of the batch, as far as its payloads fit into TAKE_BYTES_MAX. */
static ERL_NIF_TERM take_batch(ErlNifEnv *env, inbox *it)
{
    ERL_NIF_TERM terms[BATCH_MAX];
    unsigned count = 0;
    size_t bytes = 0;
    while (it->batch_next < it->batch_size && bytes + it->batch[it->batch_next].message.size <= TAKE_BYTES_MAX) {
        const hw_delivery *delivery = &it->batch[it->batch_next++];
        bytes += delivery->message.size;
        terms[count++] = term_delivery(env, it, delivery);
    }
    enif_consume_timeslice(env, 1 + (int)(bytes * 10 / TAKE_BYTES_MAX));
    return enif_make_list_from_array(env, terms, count);
}

static ERL_NIF_TERM take_large(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    inbox *it;
    ERL_NIF_TERM list = enif_make_list(env, 0);
    if (!get_inbox(env, argv[0], &it)) {
        return enif_make_badarg(env);
    }
    if (begin_take(it)) {
        const hw_delivery *delivery = next_delivery(it);
        if (delivery != NULL) {
            list = enif_make_list1(env, term_delivery(env, it, delivery));
            it->batch_next++;
        }
        end_take(it);
    }
    return list;
}

/* take(Inbox): what waits, oldest first, as much as one call may copy; [] if nothing does. */
ERL_NIF_TERM inbox_take(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    inbox *it;
    if (!get_inbox(env, argv[0], &it)) {
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
