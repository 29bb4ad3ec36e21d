/*
 * The library's log lines as messages to a process, {heartwire_log, Level, Line, Dropped}.
 *
 * A mailbox has no limit, so no more than LINES_MAX lines are on their way to the process; Dropped says how many were left out before
 * this one. The library calls back from a thread of its own that is no scheduler.
 */
#include "heartwire_nif.h"

#include <stdatomic.h>

enum { LINES_MAX = 1000 };

static const char *const levels[] = {
    [HW_LOG_OFF] = "off", [HW_LOG_ERROR] = "error", [HW_LOG_WARNING] = "warning", [HW_LOG_INFO] = "info", [HW_LOG_DEBUG] = "debug",
};

enum { LEVELS = sizeof levels / sizeof levels[0] };

/* Guards who receives, together with what hw_log was last told. */
static ErlNifMutex *lock;
static ErlNifPid receiver;

static atomic_int on_their_way;
static atomic_uint dropped;

bool log_load(void)
{
    if (lock == NULL) {
        lock = enif_mutex_create("heartwire_log");
    }
    return lock != NULL;
}

/* A receiver that is gone gets no more lines. */
static void send_line(ErlNifEnv *env, ERL_NIF_TERM message)
{
    enif_mutex_lock(lock);
    if (!enif_send(NULL, &receiver, env, message)) {
        hw_log(HW_LOG_OFF, NULL, NULL);
    }
    enif_mutex_unlock(lock);
}

static void on_line(hw_log_level level, const char *line, size_t size, void *context)
{
    (void)context;
    ErlNifEnv *env = atomic_fetch_add(&on_their_way, 1) < LINES_MAX ? enif_alloc_env() : NULL;
    if (env == NULL) {
        atomic_fetch_sub(&on_their_way, 1);
        atomic_fetch_add(&dropped, 1);
        return;
    }
    const char *name = level > HW_LOG_OFF && level < LEVELS ? levels[level] : "debug";
    send_line(env, enif_make_tuple4(env, enif_make_atom(env, "heartwire_log"), enif_make_atom(env, name), term_binary(env, line, size),
                                    enif_make_uint(env, atomic_exchange(&dropped, 0))));
    enif_free_env(env);
}

/* log(Level, Pid): lines of at most this level go to the process from now on; off ends that. */
ERL_NIF_TERM log_set(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    ErlNifPid pid;
    hw_log_level level = HW_LOG_OFF;
    while (level < LEVELS && !enif_is_identical(argv[0], enif_make_atom(env, levels[level]))) {
        level++;
    }
    if (level == LEVELS || !enif_get_local_pid(env, argv[1], &pid)) {
        return enif_make_badarg(env);
    }
    enif_mutex_lock(lock);
    receiver = pid;
    atomic_store(&on_their_way, 0);
    atomic_store(&dropped, 0);
    hw_status status = hw_log(level, on_line, NULL);
    enif_mutex_unlock(lock);
    return term_result(env, status);
}

/* log_taken(): the process has dealt with a line, so there is room for another. */
ERL_NIF_TERM log_taken(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    (void)argv;
    atomic_fetch_sub(&on_their_way, 1);
    return enif_make_atom(env, "ok");
}
