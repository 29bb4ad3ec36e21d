/* Steps of the opening script that are wrong: what is refused, and where the error points. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

static hw_error refused(hw_config *config, const char *json, hw_status expected)
{
    hw_error error = NEW_ERROR;
    hw_status status = hw_config_add_step(config, json, strlen(json), &error);
    if (status != expected) FAIL("%.200s: %s, %s", json, hw_status_name(status), error.message);
    return error;
}

static void add(hw_config *config, const char *json)
{
    hw_error error = NEW_ERROR;
    if (hw_config_add_step(config, json, strlen(json), &error) != HW_OK) FAIL("%.200s: %s", json, error.message);
}

static hw_config *new_config(void)
{
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    return config;
}

TEST(mistakes_name_their_member)
{
    static const struct {
        const char *json, *says;
    } mistakes[] = {
        {"", "the step is no JSON"},
        {"{\"send\":{\"body\":\"x\"}} {}", "the step is no JSON"},
        {"[]", "the step must be an object, not an array"},
        {"{}", "the step needs 'send' or 'expect'; write for example {\"send\": {\"body\": \"hello\"}}"},
        {"{\"expct\":{}}", "step member /expct unknown member 'expct'; did you mean 'expect'?"},
        {"{\"send\":{\"body\":\"x\"},\"expect\":{}}", "step member /send is a step of its own"},
        {"{\"send\":{\"body\":\"x\"},\"timeout\":\"1s\"}", "step member /timeout goes with 'expect'"},
        {"{\"send\":{\"text\":\"x\"}}", "step member /send/text unknown member 'text'"},
        {"{\"send\":{\"hex\":\"00\"}}", "step member /send/hex bytes need \"op\": \"binary\""},
        {"{\"send\":{\"op\":\"ping\",\"body\":\"\"}}", "step member /send sends a ping"},
        {"{\"send\":{\"body\":\"${last.token}\"}}", "step member /send has a ${last.NAME} that no step before it learns"},
        {"{\"expect\":{\"json\":{\"a\":1}}}", "step member /expect/json/a 'a' is no JSON pointer"},
        {"{\"expect\":{},\"timeout\":\"soon\"}", "step member /timeout 'soon' is no duration"},
        {"{\"expect\":{},\"learn\":{\"t\":\"t\"}}", "step member /learn/t 't' is no JSON pointer"},
        {"{\"expect\":{},\"fail\":{\"is\":1}}", "step member /fail/is unknown member 'is'"},
    };
    hw_config *config = new_config();
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        hw_error error = refused(config, mistakes[i].json, HW_E_STEP);
        if (strstr(error.message, mistakes[i].says) == NULL) FAIL("%s: %s", mistakes[i].json, error.message);
        CHECK_EQUAL(error.layer, HW_LAYER_CONFIGURATION);
        CHECK_EQUAL(error.retryable, 0);
    }
    hw_config_free(config);
}

TEST(a_copy_goes_on_where_the_original_was)
{
    hw_config *config = new_config(), *copy = NULL;
    add(config, "{\"expect\":{},\"learn\":{\"token\":\"/t\"}}");
    CHECK_STATUS(hw_config_copy(config, &copy), HW_OK);
    add(copy, "{\"send\":{\"body\":\"${last.token}\"}}");
    add(copy, "{\"expect\":{},\"learn\":{\"other\":\"/t\"}}");
    refused(config, "{\"send\":{\"body\":\"${last.other}\"}}", HW_E_STEP);
    hw_config_free(copy);
    hw_config_free(config);
}

static const char small_step[] = "{\"expect\":{}}";

TEST(thirty_two_steps_are_the_limit)
{
    hw_config *config = new_config();
    for (int i = 0; i < 32; i++) add(config, small_step);
    CHECK_CONTAINS(refused(config, small_step, HW_E_TOO_LARGE).message, "at most 32 steps of 256 KiB");
    hw_config_free(config);
}

/* A step of exactly so many bytes. */
static char *step_of_size(size_t size)
{
    static const char begin[] = "{\"expect\":{},\"note\":\"";
    char *step = malloc(size + 1);
    memset(step, 'x', size);
    memcpy(step, begin, sizeof begin - 1);
    memcpy(step + size - 2, "\"}", 3);
    return step;
}

TEST(the_bytes_of_steps_are_limited)
{
    hw_config *config = new_config();
    char *largest = step_of_size(65536), *too_large = step_of_size(65537), *all = step_of_size(1000000);
    CHECK_CONTAINS(refused(config, too_large, HW_E_STEP).message, "at most 65536");
    refused(config, all, HW_E_STEP);
    for (int i = 0; i < 4; i++) add(config, largest);
    CHECK_CONTAINS(refused(config, small_step, HW_E_TOO_LARGE).message, "256 KiB");
    hw_config_free(config);
    free(largest);
    free(too_large);
    free(all);
}

TEST(bad_arguments_are_refused)
{
    hw_config *config = new_config();
    CHECK_STATUS(hw_config_add_step(config, NULL, 2, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_add_step(NULL, small_step, 13, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_config_add_step(config, "{\"expect\":{}}garbage", 13, NULL), HW_OK);
    hw_config_free(config);
    CHECK_STATUS(hw_config_add_step(config, small_step, 13, NULL), HW_E_HANDLE);
}

TEST(a_script_that_sends_contradicts_rules_that_forbid_it)
{
    hw_config *config = new_config();
    hw_error error = NEW_ERROR;
    hw_connection *connection = NULL;
    const char *forbidding = "{\"send\":\"forbidden\"}";
    CHECK_STATUS(hw_config_set(config, "ping.interval", "0", NULL), HW_OK);
    CHECK_STATUS(hw_config_add_rule(config, forbidding, strlen(forbidding), NULL), HW_OK);
    add(config, "{\"send\":{\"body\":\"x\"}}");
    CHECK_STATUS(hw_connection_open(config, "ws://127.0.0.1:1", &connection, &error), HW_E_CONFLICT);
    CHECK_CONTAINS(error.message, "a step of the opening script sends, but the rules forbid sending");
    hw_config_free(config);
}
