/* The NIF's functions that hand messages to a connection, and ask what became of them. */
#include "heartwire_nif.h"

#include <stdlib.h>

enum { SEND_BYTES_MAX = 64 * 1024 /* Payload masked, encrypted and written in one call on an ordinary scheduler. */ };

typedef ERL_NIF_TERM nif_function(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

/* Moves what is large, the third argument being the data, to a dirty scheduler. The caller waits, so its order is kept. */
static ERL_NIF_TERM by_size(ErlNifEnv *env, const char *name, nif_function function, int argc, const ERL_NIF_TERM argv[])
{
    ErlNifBinary data;
    if (!enif_inspect_binary(env, argv[2], &data)) {
        return enif_make_badarg(env);
    }
    return data.size > SEND_BYTES_MAX ? enif_schedule_nif(env, name, ERL_NIF_DIRTY_JOB_IO_BOUND, function, argc, argv)
                                      : function(env, argc, argv);
}

hw_kind kind_of(ErlNifEnv *env, ERL_NIF_TERM term)
{
    return enif_is_identical(term, enif_make_atom(env, "text")) ? HW_TEXT : HW_BINARY;
}

static ERL_NIF_TERM send_whole(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifBinary data;
    if (!connection_handle(env, argv[0], &handle) || !enif_inspect_binary(env, argv[2], &data)) {
        return enif_make_badarg(env);
    }
    return term_result(env, hw_connection_send(handle, kind_of(env, argv[1]), data.data, data.size, NULL, NULL));
}

/* send(Connection, text | binary, Data) */
ERL_NIF_TERM sending_send(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    return by_size(env, "send", send_whole, argc, argv);
}

static bool get_flags(ErlNifEnv *env, ERL_NIF_TERM list, uint32_t *flags)
{
    ERL_NIF_TERM head;
    *flags = 0;
    while (enif_get_list_cell(env, list, &head, &list)) {
        if (enif_is_identical(head, enif_make_atom(env, "more"))) {
            *flags |= HW_SEND_MORE;
        } else if (enif_is_identical(head, enif_make_atom(env, "now"))) {
            *flags |= HW_SEND_NOW;
        } else if (enif_is_identical(head, enif_make_atom(env, "report"))) {
            *flags |= HW_SEND_REPORT;
        } else {
            return false;
        }
    }
    return enif_is_empty_list(env, list);
}

static ERL_NIF_TERM send_with(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifBinary data;
    ErlNifUInt64 id, ttl_ms;
    hw_send_options options = {.struct_size = sizeof options};
    if (!connection_handle(env, argv[0], &handle) || !enif_inspect_binary(env, argv[2], &data) || !enif_get_uint64(env, argv[3], &id) ||
        !get_flags(env, argv[4], &options.flags) || !enif_get_uint64(env, argv[5], &ttl_ms)) {
        return enif_make_badarg(env);
    }
    options.message_id = id;
    options.ttl_ms = ttl_ms;
    uint64_t given = 0;
    hw_status status = hw_connection_send(handle, kind_of(env, argv[1]), data.data, data.size, &options, &given);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), enif_make_uint64(env, given)) : term_result(env, status);
}

/* send_with(Connection, text | binary, Data, Id, [more | now | report], TtlMs): Id is that of the unfinished message which this goes on
   with, which its first part, sent with 0, brings. */
ERL_NIF_TERM sending_send_with(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    return by_size(env, "send_with", send_with, argc, argv);
}

/* outcome(Connection, Id) */
ERL_NIF_TERM sending_outcome(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifUInt64 id;
    hw_outcome outcome = HW_OUTCOME_PENDING;
    if (!connection_handle(env, argv[0], &handle) || !enif_get_uint64(env, argv[1], &id)) {
        return enif_make_badarg(env);
    }
    hw_status status = hw_connection_outcome(handle, id, &outcome);
    return status == HW_OK ? enif_make_tuple2(env, enif_make_atom(env, "ok"), atom_outcome(env, outcome)) : term_result(env, status);
}

/* cancel(Connection, Id) */
ERL_NIF_TERM sending_cancel(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifUInt64 id;
    if (!connection_handle(env, argv[0], &handle) || !enif_get_uint64(env, argv[1], &id)) {
        return enif_make_badarg(env);
    }
    return term_result(env, hw_connection_cancel(handle, id));
}

static ERL_NIF_TERM keep(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifBinary data;
    if (!connection_handle(env, argv[0], &handle) || !enif_inspect_binary(env, argv[2], &data)) {
        return enif_make_badarg(env);
    }
    char *key = copy_text(env, argv[3]);
    bool is_removal = enif_is_identical(argv[1], enif_make_atom(env, "none"));
    /* Without data the library would take an empty message for a removal. */
    const void *message = is_removal ? NULL : data.size == 0 ? (const void *)"" : data.data;
    hw_status status = key == NULL ? HW_E_ARGUMENT : hw_connection_keep(handle, key, kind_of(env, argv[1]), message, data.size);
    free(key);
    return term_result(env, status);
}

/* keep(Connection, text | binary | none, Data, Key): none, with empty data, removes what is kept. */
ERL_NIF_TERM sending_keep(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    return by_size(env, "keep", keep, argc, argv);
}

/* respond(Connection, {text | binary, Data} | seen | failed, ReceivedNs, Epoch): what a detector found. An answer is at most 64 KiB. */
ERL_NIF_TERM sending_respond(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifUInt64 received_ns, epoch;
    ErlNifBinary data;
    const ERL_NIF_TERM *answer;
    int arity;
    if (!connection_handle(env, argv[0], &handle) || !enif_get_uint64(env, argv[2], &received_ns) ||
        !enif_get_uint64(env, argv[3], &epoch)) {
        return enif_make_badarg(env);
    }
    hw_reply reply = {.struct_size = sizeof reply, .kind = HW_TEXT, .received_ns = received_ns, .epoch = epoch};
    if (enif_get_tuple(env, argv[1], &arity, &answer)) {
        if (arity != 2 || !enif_inspect_binary(env, answer[1], &data)) {
            return enif_make_badarg(env);
        }
        reply.kind = kind_of(env, answer[0]);
        reply.data = data.data;
        reply.size = data.size;
        return term_result(env, hw_connection_respond(handle, HW_DETECT_ANSWER, &reply));
    }
    bool is_seen = enif_is_identical(argv[1], enif_make_atom(env, "seen"));
    return term_result(env, hw_connection_respond(handle, is_seen ? HW_DETECT_SEEN : HW_DETECT_FAILED, &reply));
}
