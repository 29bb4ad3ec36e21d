/* Answers the question before an attempt to connect: hw_connection_proceed. */
#include "heartwire_nif.h"

#include <stdlib.h>

enum { HEADERS_MAX = 256 /* More than the library takes. */ };

/* The text copies that an hw_attempt points to. */
typedef struct {
    char *url;
    char *names[HEADERS_MAX];
    char *values[HEADERS_MAX];
    uint32_t header_count;
} answer;

static hw_status read_headers(ErlNifEnv *env, answer *it, ERL_NIF_TERM headers, hw_error *error)
{
    ERL_NIF_TERM head;
    const ERL_NIF_TERM *name_value;
    int arity;
    while (enif_get_list_cell(env, headers, &head, &headers)) {
        if (it->header_count == HEADERS_MAX) {
            return fail(error, HW_E_TOO_LARGE, HW_LAYER_CONFIGURATION, "There are too many header fields.");
        }
        uint32_t index = it->header_count++;
        if (enif_get_tuple(env, head, &arity, &name_value) && arity == 2) {
            it->names[index] = copy_text(env, name_value[0]);
            it->values[index] = copy_text(env, name_value[1]);
        }
        if (it->names[index] == NULL || it->values[index] == NULL) {
            return fail(error, HW_E_HEADER, HW_LAYER_CONFIGURATION, "A header field's name and value must be binaries without NUL bytes.");
        }
    }
    return HW_OK;
}

static hw_status read_answer(ErlNifEnv *env, answer *it, const ERL_NIF_TERM *url_headers, hw_error *error)
{
    if (!enif_is_identical(url_headers[0], enif_make_atom(env, "nil"))) {
        it->url = copy_text(env, url_headers[0]);
        if (it->url == NULL) {
            return fail(error, HW_E_URL, HW_LAYER_CONFIGURATION, "The URL must be a binary without NUL bytes.");
        }
    }
    return read_headers(env, it, url_headers[1], error);
}

static void free_answer(answer *it)
{
    for (uint32_t index = 0; index < it->header_count; index++) {
        free(it->names[index]);
        free(it->values[index]);
    }
    free(it->url);
}

static hw_status go_on(ErlNifEnv *env, hw_connection *handle, uint64_t attempt_id, const ERL_NIF_TERM *url_headers, hw_error *error)
{
    answer it = {.header_count = 0};
    hw_status status = read_answer(env, &it, url_headers, error);
    if (status == HW_OK) {
        const hw_attempt attempt = {
            .struct_size = sizeof attempt,
            .header_count = it.header_count,
            .url = it.url,
            .header_names = (const char *const *)it.names,
            .header_values = (const char *const *)it.values,
        };
        status = hw_connection_proceed(handle, attempt_id, &attempt, error);
    }
    free_answer(&it);
    return status;
}

static hw_status refuse(hw_connection *handle, uint64_t attempt_id, const char *failure, hw_error *error)
{
    const hw_attempt attempt = {.struct_size = sizeof attempt, .failure = failure};
    return hw_connection_proceed(handle, attempt_id, &attempt, error);
}

/* proceed(Connection, AttemptId, {Url | nil, [{Name, Value}]} | Failure). Runs on a dirty scheduler: certificates may come from disk. */
ERL_NIF_TERM attempt_proceed(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    (void)argc;
    hw_connection *handle;
    ErlNifUInt64 attempt_id;
    const ERL_NIF_TERM *url_headers;
    int arity;
    hw_error error = {.struct_size = sizeof error};
    if (!connection_handle(env, argv[0], &handle) || !enif_get_uint64(env, argv[1], &attempt_id)) {
        return enif_make_badarg(env);
    }
    hw_status status;
    if (enif_get_tuple(env, argv[2], &arity, &url_headers) && arity == 2) {
        status = go_on(env, handle, attempt_id, url_headers, &error);
    } else {
        char *failure = copy_text(env, argv[2]);
        if (failure == NULL) {
            return enif_make_badarg(env);
        }
        status = refuse(handle, attempt_id, failure, &error);
        free(failure);
    }
    if (status == HW_OK) {
        return enif_make_atom(env, "ok");
    }
    error.status = status;
    return term_error(env, &error);
}
