/* Rules that are wrong: what is refused, and where the error points. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hw_error refused(hw_config *config, const char *json, hw_status expected)
{
    hw_error error = NEW_ERROR;
    hw_status status = hw_config_add_rule(config, json, strlen(json), &error);
    if (status != expected) FAIL("%.200s: %s, %s", json, hw_status_name(status), error.message);
    return error;
}

static hw_config *new_config(void)
{
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    return config;
}

/* A rule whose value for a member of a beat, reply, watch or whatever is wrong, and what the error must say. */
typedef struct {
    const char *json, *says;
} mistake;

static void check_mistakes(const mistake *mistakes, size_t count)
{
    hw_config *config = new_config();
    for (size_t i = 0; i < count; i++) {
        hw_error error = refused(config, mistakes[i].json, HW_E_RULE);
        if (strstr(error.message, mistakes[i].says) == NULL) FAIL("%s: %s", mistakes[i].json, error.message);
        CHECK_EQUAL(error.layer, HW_LAYER_CONFIGURATION);
        CHECK_EQUAL(error.retryable, 0);
    }
    hw_config_free(config);
}

#define CHECK_MISTAKES(mistakes) check_mistakes(mistakes, sizeof(mistakes) / sizeof *(mistakes))

TEST(text_that_is_no_document_is_refused)
{
    static const mistake mistakes[] = {
        {"", "no JSON"},
        {"{", "no JSON"},
        {"{} {}", "no JSON"},
        {"{\"beat\":[],}", "no JSON"},
        {"\xEF\xBB\xBF{}", "no JSON"},
        {"[]", "the rule must be an object, not an array"},
        {"null", "must be an object"},
        {"{\"beats\":[]}", "/beats unknown member 'beats'; did you mean 'beat'?"},
        {"{\"beat\":[],\"beat\":[]}", "/beat is given twice"},
        {"{\"beat\":{}}", "/beat must be an array, not an object"},
        {"{\"reply\":[1]}", "/reply/0 must be an object, not a number"},
        {"{\"send\":\"allowed\"}", "/send 'allowed' is unknown; write \"forbidden\""},
        {"{\"replace\":[\"frame\"]}", "/replace/0 'frame' is unknown"},
        {"{\"a/b~c\":1}", "/a~1b~0c unknown member"},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(mistakes_in_what_is_sent_name_their_member)
{
    static const mistake mistakes[] = {
        {"{\"beat\":[{\"every\":\"1s\"}]}", "/beat/0 'send' is missing"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{}}]}", "/beat/0/send 'body' is missing"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"x\",\"hex\":\"00\",\"op\":\"binary\"}}]}", "leave one out"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"hex\":\"00\"}}]}", "/beat/0/send/hex bytes need \"op\": \"binary\""},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"op\":\"binary\",\"hex\":\"0\"}}]}", "/beat/0/send/hex has an odd number of digits"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"op\":\"binary\",\"hex\":\"zz\"}}]}", "/beat/0/send/hex 'zz' is not hexadecimal"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"x\",\"encode\":[\"gzip\"]}}]}", "/beat/0/send/encode"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"op\":\"binary\",\"body\":\"x\",\"encode\":[\"lz4\"]}}]}", "/beat/0/send/encode/0 'lz4'"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"${nobody}\"}}]}", "/beat/0/send/body has ${nobody}"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"${payload}\"}}]}", "/beat/0/send/body has ${payload}"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"${counter\"}}]}", "/beat/0/send/body has a ${ without its }"},
        {"{\"reply\":[{\"on\":{\"eq\":\"x\"},\"take\":{\"a\":\"/a\"},\"send\":{\"body\":\"${?a}y\"}}]}", "without its end ${/}"},
        {"{\"reply\":[{\"on\":{\"eq\":\"x\"},\"take\":{\"uuid\":\"/a\"},\"send\":{\"body\":\"y\"}}]}", "/reply/0/take/uuid"},
        {"{\"reply\":[{\"on\":{\"eq\":\"x\"},\"take\":{\"a\":\"a\"},\"send\":{\"body\":\"y\"}}]}",
         "/reply/0/take/a 'a' is no JSON pointer"},
        {"{\"send\":\"forbidden\",\"setup\":[{\"on\":\"open\",\"send\":{\"body\":\"x\"}}]}", "sending is forbidden"},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(mistakes_in_matches_name_their_member)
{
    static const mistake mistakes[] = {
        {"{\"reply\":[{\"send\":{\"body\":\"x\"}}]}", "/reply/0 'on' is missing"},
        {"{\"reply\":[{\"on\":[],\"send\":{\"body\":\"x\"}}]}", "/reply/0/on has no alternative"},
        {"{\"reply\":[{\"on\":{\"is\":1},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/is unknown member"},
        {"{\"reply\":[{\"on\":{\"op\":\"ping\"},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/op 'ping' is unknown"},
        {"{\"reply\":[{\"on\":{\"json\":{\"/a\":[1]}},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/json/~1a"},
        {"{\"reply\":[{\"on\":{\"json\":{\"a\":1}},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/json/a 'a' is no JSON pointer"},
        {"{\"reply\":[{\"on\":{\"type\":{\"/a\":\"int\"}},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/type/~1a 'int' is unknown"},
        {"{\"reply\":[{\"on\":{\"empty\":false},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/empty can only be true"},
        {"{\"reply\":[{\"on\":{\"len\":-1},\"send\":{\"body\":\"x\"}}]}", "/reply/0/on/len '-1' is no whole number"},
        {"{\"watch\":[{\"on\":\"anything\",\"within\":\"1s\"}]}", "/watch/0/on 'anything' is unknown; write \"any_rx\""},
        {"{\"stamp\":[{\"on\":{\"has\":[\"/t\"]},\"path\":\"/t\",\"unit\":\"min\"}]}", "/stamp/0/unit 'min' is unknown"},
        {"{\"reconnect\":{\"url\":\"/u\"}}", "/reconnect/url"},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(mistakes_in_times_name_their_member)
{
    static const mistake mistakes[] = {
        {"{\"beat\":[{\"send\":{\"body\":\"x\"}}]}", "/beat/0 'every' is missing; write for example \"every\": \"20s\""},
        {"{\"beat\":[{\"every\":20,\"send\":{\"body\":\"x\"}}]}", "/beat/0/every must be a duration such as \"20s\""},
        {"{\"beat\":[{\"every\":\"0s\",\"send\":{\"body\":\"x\"}}]}", "/beat/0/every '0s' is out of range"},
        {"{\"beat\":[{\"every\":\"-1s\",\"send\":{\"body\":\"x\"}}]}", "/beat/0/every '-1s' is no duration"},
        {"{\"beat\":[{\"every\":\"1 s\",\"send\":{\"body\":\"x\"}}]}", "/beat/0/every '1 s' is no duration"},
        {"{\"beat\":[{\"every\":\"169h\",\"send\":{\"body\":\"x\"}}]}", "/beat/0/every '169h' is out of range"},
        {"{\"beat\":[{\"every\":\"99999999999999999999s\",\"send\":{\"body\":\"x\"}}]}", "is out of range"},
        {"{\"beat\":[{\"every\":{\"var\":\"v\"},\"send\":{\"body\":\"x\"}}]}", "/beat/0/every 'unit' is missing"},
        {"{\"beat\":[{\"every\":\"1s\",\"when\":\"idle\",\"send\":{\"body\":\"x\"}}]}", "/beat/0/when 'idle' is unknown"},
        {"{\"beat\":[{\"every\":\"1s\",\"first\":\"soon\",\"send\":{\"body\":\"x\"}}]}", "/beat/0/first 'soon' is unknown"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"x\"},\"ack\":{\"on\":\"any_rx\"}}]}", "/beat/0/ack 'within' is missing"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"x\"},\"ack\":{\"on\":{\"has\":[\"/i\"]},\"equal\":{\"/i\":\"counter\"},"
         "\"within\":\"1s\"}}]}",
         "/beat/0/ack/equal/~1i the beat does not send this value"},
        {"{\"watch\":[{\"on\":\"any_rx\",\"within\":\"next_beat\"}]}", "/watch/0/within \"next_beat\" is for the ack of a beat"},
        {"{\"watch\":[{\"on\":\"any_rx\",\"within\":\"0ms\"}]}", "/watch/0/within '0ms' is out of range"},
        {"{\"watch\":[{\"on\":\"any_rx\",\"within\":\"1s\",\"probe\":\"pong\"}]}", "/watch/0/probe 'pong' is unknown"},
        {"{\"beat\":[{\"every\":\"1s\",\"send\":{\"body\":\"x\"}},{\"every\":\"2s\",\"send\":{\"body\":\"x\"}}]}",
         "/beat/1 sends the same as another beat"},
    };
    CHECK_MISTAKES(mistakes);
}

static const char small_rule[] = "{\"note\":\"\"}";

TEST(a_wrong_rule_leaves_nothing_behind)
{
    client *client = client_new();
    client_rule(client, "{\"reply\":[{\"on\":{\"eq\":\"a\"},\"send\":{\"body\":\"A\"}}]}");
    refused(client->config, "{\"reply\":[{\"on\":{\"eq\":\"b\"},\"send\":{\"body\":\"B\"}}],\"beat\":1}", HW_E_RULE);
    client_connect(client, server_url("raw", "/obey"));
    client_send(client, "!text a");
    client_send(client, "!text b");
    client_message(client, 1);
    CHECK_TEXT(client_frames_seen(client), "1 A");
    client_free(client);
}

TEST(sixteen_rules_are_the_limit)
{
    hw_config *config = new_config();
    for (int i = 0; i < 16; i++) CHECK_STATUS(hw_config_add_rule(config, small_rule, strlen(small_rule), NULL), HW_OK);
    CHECK_CONTAINS(refused(config, small_rule, HW_E_TOO_LARGE).message, "at most 16 rules");
    /* A copy has them too, and is no larger. */
    hw_config *copy = NULL;
    CHECK_STATUS(hw_config_copy(config, &copy), HW_OK);
    refused(copy, small_rule, HW_E_TOO_LARGE);
    hw_config_free(copy);
    hw_config_free(config);
}

/* A rule of exactly so many bytes. */
static char *rule_of_size(size_t size)
{
    char *rule = malloc(size + 1);
    memset(rule, 'x', size);
    memcpy(rule, "{\"note\":\"", 9);
    memcpy(rule + size - 2, "\"}", 3);
    return rule;
}

TEST(the_bytes_of_rules_are_limited)
{
    hw_config *config = new_config();
    char *largest = rule_of_size(65536), *too_large = rule_of_size(65537), *all = rule_of_size(1000000);
    CHECK_CONTAINS(refused(config, too_large, HW_E_RULE).message, "at most 65536");
    refused(config, all, HW_E_RULE);
    for (int i = 0; i < 4; i++) CHECK_STATUS(hw_config_add_rule(config, largest, strlen(largest), NULL), HW_OK);
    CHECK_CONTAINS(refused(config, small_rule, HW_E_TOO_LARGE).message, "256 KiB");
    hw_config_free(config);
    free(largest);
    free(too_large);
    free(all);
}

TEST(parts_of_a_rule_set_are_limited)
{
    hw_config *config = new_config();
    char *rule = malloc(65536);
    size_t size = (size_t)sprintf(rule, "{\"watch\":[");
    for (int i = 0; i < 65; i++) size += (size_t)sprintf(rule + size, "%s{\"on\":\"any_rx\",\"within\":\"%ds\"}", i > 0 ? "," : "", i + 1);
    sprintf(rule + size, "]}");
    CHECK_CONTAINS(refused(config, rule, HW_E_RULE).message, "/watch has 65 elements; at most 64 are allowed");
    size = (size_t)sprintf(rule, "{\"learn\":[");
    for (int i = 0; i < 33; i++)
        size += (size_t)sprintf(rule + size, "%s{\"on\":{\"len\":1},\"path\":\"payload\",\"var\":\"v%d\"}", i > 0 ? "," : "", i);
    sprintf(rule + size, "]}");
    CHECK_CONTAINS(refused(config, rule, HW_E_RULE).message, "/learn/32/var 'v32' is one more than the 32 variables allowed");
    free(rule);
    hw_config_free(config);
}

TEST(bad_arguments_are_refused)
{
    hw_config *config = new_config();
    CHECK_STATUS(hw_config_add_rule(config, NULL, 2, NULL), HW_E_ARGUMENT);
    CHECK_STATUS(hw_config_add_rule(NULL, "{}", 2, NULL), HW_E_HANDLE);
    CHECK_STATUS(hw_config_add_rule(config, "{}", 2, NULL), HW_OK);
    CHECK_STATUS(hw_config_add_rule(config, "{}garbage", 2, NULL), HW_OK);
    hw_config_free(config);
    CHECK_STATUS(hw_config_add_rule(config, "{}", 2, NULL), HW_E_HANDLE);
}
