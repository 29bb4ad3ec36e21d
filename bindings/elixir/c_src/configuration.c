/* Fills an hw_config from Erlang terms. */
#include "heartwire_nif.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *copy_text(ErlNifEnv *env, ERL_NIF_TERM term)
{
    ErlNifBinary binary;
    if (!enif_inspect_binary(env, term, &binary) || memchr(binary.data, '\0', binary.size) != NULL) {
        return NULL;
    }
    char *copy = malloc(binary.size + 1);
    if (copy != NULL) {
        memcpy(copy, binary.data, binary.size);
        copy[binary.size] = '\0';
    }
    return copy;
}

hw_status fail(hw_error *error, hw_status status, hw_layer layer, const char *message)
{
    error->status = status;
    error->layer = layer;
    snprintf(error->message, sizeof error->message, "%s", message);
    return status;
}

static hw_status set_property(ErlNifEnv *env, hw_config *config, const ERL_NIF_TERM *setter_name_value, hw_error *error)
{
    hw_status status;
    ErlNifBinary value;
    char *name = copy_text(env, setter_name_value[1]);
    if (name == NULL || !enif_inspect_binary(env, setter_name_value[2], &value)) {
        status = fail(error, HW_E_PROPERTY, HW_LAYER_CONFIGURATION,
                      "A property's name and value must be binaries, and the name must not hold a NUL byte.");
    } else if (enif_is_identical(setter_name_value[0], enif_make_atom(env, "bytes"))) {
        status = hw_config_set_bytes(config, name, value.data, value.size, error);
    } else {
        char *text = copy_text(env, setter_name_value[2]);
        status = text == NULL ? fail(error, HW_E_VALUE, HW_LAYER_CONFIGURATION, "A property's value must not hold a NUL byte.")
                              : hw_config_set(config, name, text, error);
        free(text);
    }
    free(name);
    return status;
}

static hw_status add_header(ErlNifEnv *env, hw_config *config, const ERL_NIF_TERM *name_value, hw_error *error)
{
    char *name = copy_text(env, name_value[0]);
    char *value = copy_text(env, name_value[1]);
    hw_status status = name == NULL || value == NULL
                           ? fail(error, HW_E_HEADER, HW_LAYER_CONFIGURATION,
                                  "A header field's name and value must be binaries without NUL bytes.")
                           : hw_config_add_header(config, name, value, error);
    free(name);
    free(value);
    return status;
}

static hw_status add_rule(ErlNifEnv *env, hw_config *config, ERL_NIF_TERM json, hw_error *error)
{
    ErlNifBinary text;
    return enif_inspect_binary(env, json, &text)
               ? hw_config_add_rule(config, (const char *)text.data, text.size, error)
               : fail(error, HW_E_RULE, HW_LAYER_CONFIGURATION, "A rule must be a binary with JSON text.");
}

static hw_status add_step(ErlNifEnv *env, hw_config *config, ERL_NIF_TERM json, hw_error *error)
{
    ErlNifBinary text;
    return enif_inspect_binary(env, json, &text)
               ? hw_config_add_step(config, (const char *)text.data, text.size, error)
               : fail(error, HW_E_STEP, HW_LAYER_CONFIGURATION, "A step must be a binary with JSON text.");
}

/* From properties [{text | bytes, Name, Value}], headers [{Name, Value}], rules [JSON] and steps [JSON]. Writes *error on failure. */
static hw_status configure(ErlNifEnv *env, hw_config *config, const ERL_NIF_TERM lists[4], hw_error *error)
{
    ERL_NIF_TERM properties = lists[0], headers = lists[1], rules = lists[2], steps = lists[3];
    ERL_NIF_TERM head;
    const ERL_NIF_TERM *elements;
    int arity;
    hw_status status = HW_OK;
    while (status == HW_OK && enif_get_list_cell(env, properties, &head, &properties)) {
        status = enif_get_tuple(env, head, &arity, &elements) && arity == 3
                     ? set_property(env, config, elements, error)
                     : fail(error, HW_E_ARGUMENT, HW_LAYER_CONFIGURATION, "A property must be {Setter, Name, Value}.");
    }
    while (status == HW_OK && enif_get_list_cell(env, headers, &head, &headers)) {
        status = enif_get_tuple(env, head, &arity, &elements) && arity == 2
                     ? add_header(env, config, elements, error)
                     : fail(error, HW_E_ARGUMENT, HW_LAYER_CONFIGURATION, "A header field must be {Name, Value}.");
    }
    while (status == HW_OK && enif_get_list_cell(env, rules, &head, &rules)) {
        status = add_rule(env, config, head, error);
    }
    while (status == HW_OK && enif_get_list_cell(env, steps, &head, &steps)) {
        status = add_step(env, config, head, error);
    }
    return status;
}

hw_status open_configured(ErlNifEnv *env, const ERL_NIF_TERM argv[], open_function *open, void *opened, hw_error *error)
{
    hw_config *config = NULL;
    char *url = copy_text(env, argv[0]);
    hw_status status = url == NULL ? fail(error, HW_E_URL, HW_LAYER_CONFIGURATION, "The URL must be a binary without NUL bytes.")
                                   : hw_config_new(&config);
    if (status == HW_OK) {
        status = configure(env, config, argv + 1, error);
    }
    if (status == HW_OK) {
        status = open(config, url, opened, error);
    }
    hw_config_free(config);
    free(url);
    return status;
}
