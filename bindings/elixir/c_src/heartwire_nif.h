/* What the source files of the NIF share. The NIF only translates between Erlang terms and heartwire.h. */
#ifndef HEARTWIRE_NIF_H
#define HEARTWIRE_NIF_H

#include <erl_nif.h>
#include <heartwire.h>

#include <stdbool.h>

/* ---- names.c: constants as atoms, unknown for those that this header does not have --------------------------------------------- */

/* HW_E_TIMEOUT becomes timeout, HW_OK becomes ok. */
ERL_NIF_TERM atom_status(ErlNifEnv *env, hw_status status);

ERL_NIF_TERM atom_layer(ErlNifEnv *env, hw_layer value);
ERL_NIF_TERM atom_state(ErlNifEnv *env, hw_state value);
ERL_NIF_TERM atom_event_kind(ErlNifEnv *env, hw_event_kind value);
ERL_NIF_TERM atom_health_level(ErlNifEnv *env, hw_health_level value);
ERL_NIF_TERM atom_quality(ErlNifEnv *env, hw_quality value);
ERL_NIF_TERM atom_response_level(ErlNifEnv *env, hw_response_level value);
ERL_NIF_TERM atom_rotation(ErlNifEnv *env, hw_rotation value);
ERL_NIF_TERM atom_circuit(ErlNifEnv *env, hw_circuit value);
ERL_NIF_TERM atom_outcome(ErlNifEnv *env, hw_outcome value);
ERL_NIF_TERM atom_property_type(ErlNifEnv *env, hw_property_type value);

/* What holds an attempt back: the level of HW_EVENT_ATTEMPT_HELD. */
ERL_NIF_TERM atom_holder(ErlNifEnv *env, int32_t value);

/* ---- terms.c: from C to Erlang -------------------------------------------------------------------------------------------------- */

ERL_NIF_TERM term_binary(ErlNifEnv *env, const void *data, size_t size);
ERL_NIF_TERM term_event(ErlNifEnv *env, const hw_event *event);

/* What tells a listener's clients apart: the handle as a number. */
ERL_NIF_TERM term_key(ErlNifEnv *env, const hw_connection *connection);
bool get_key(ErlNifEnv *env, ERL_NIF_TERM term, hw_connection **out);

/* {Message, ReceivedNs, Epoch}: Message is {text | binary, Data}, of a part {text_part | binary_part, Data, first | middle | last}. */
ERL_NIF_TERM term_message(ErlNifEnv *env, const hw_message *message);

ERL_NIF_TERM term_metrics(ErlNifEnv *env, const hw_metrics *metrics);
ERL_NIF_TERM term_health(ErlNifEnv *env, const hw_health *health);
ERL_NIF_TERM term_shutdown_report(ErlNifEnv *env, const hw_shutdown_report *report);
ERL_NIF_TERM term_preset(ErlNifEnv *env, const hw_preset *preset);
ERL_NIF_TERM term_property(ErlNifEnv *env, const hw_property *property);

/* {error, Map} with the fields of the hw_error. */
ERL_NIF_TERM term_error(ErlNifEnv *env, const hw_error *error);

/* ok, or {error, Map} for a function that gives a status alone. */
ERL_NIF_TERM term_result(ErlNifEnv *env, hw_status status);

/* ---- configuration.c: from Erlang to C ------------------------------------------------------------------------------------------ */

/* A NUL-terminated copy of a binary, freed with free; NULL if the term is no binary or holds a NUL byte. */
char *copy_text(ErlNifEnv *env, ERL_NIF_TERM term);

typedef hw_status open_function(hw_config *config, const char *url, void *opened, hw_error *error);

/* Has opened filled with what the arguments (Url, [{text | bytes, Name, Value}], [{Name, Value}], Rules, Steps) say. Writes *error on
   failure. */
hw_status open_configured(ErlNifEnv *env, const ERL_NIF_TERM argv[], open_function *open, void *opened, hw_error *error);

/* Describes a failure that the binding found itself, and answers status. */
hw_status fail(hw_error *error, hw_status status, hw_layer layer, const char *message);

/* ---- inbox.c: the resource that a connection or a listener delivers into --------------------------------------------------------- */

typedef struct inbox inbox;

bool inbox_load(ErlNifEnv *env);

/* Makes an inbox and has config deliver into it. One that is shared says of each delivery whose it is, {Key, Delivery}. The caller gives it
   back with enif_release_resource. Writes *error on failure. */
hw_status inbox_open(hw_config *config, bool is_shared, inbox **out, hw_error *error);

/* Nothing is taken from it any more. Never blocks. */
void inbox_abandon(ErlNifEnv *env, inbox *it);

ERL_NIF_TERM inbox_watch(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM inbox_take(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

/* ---- connection.c: the resource ------------------------------------------------------------------------------------------------- */

bool connection_load(ErlNifEnv *env);

/* False if the term is no connection. The handle may be stale, which every function of the library answers. */
bool connection_handle(ErlNifEnv *env, ERL_NIF_TERM term, hw_connection **out);

ERL_NIF_TERM connection_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_adopt(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_rotate(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_state(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_peer_address(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_metrics(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM connection_health(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

/* ---- sending.c: messages and what becomes of them ------------------------------------------------------------------------------- */

/* Of the atom text or binary. */
hw_kind kind_of(ErlNifEnv *env, ERL_NIF_TERM term);

ERL_NIF_TERM sending_send(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM sending_send_with(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM sending_outcome(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM sending_cancel(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM sending_keep(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM sending_respond(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

/* ---- attempt.c: what an attempt to connect goes by ------------------------------------------------------------------------------ */

ERL_NIF_TERM attempt_proceed(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

/* ---- listener.c: the resource, and the decision about its clients ---------------------------------------------------------------- */

bool listener_load(ErlNifEnv *env);

ERL_NIF_TERM listener_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM listener_port(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM listener_accept(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM listener_join(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM listener_leave(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM listener_broadcast(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM listener_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

/* ---- log.c: the library's log lines as messages to a process -------------------------------------------------------------------- */

bool log_load(void);

ERL_NIF_TERM log_set(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
ERL_NIF_TERM log_taken(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

#endif
