/* Heartbeat properties that are wrong or do not fit together: the status, and a text that says what to do. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 5 };

typedef struct {
    const char *name, *value;
} setting;

/* What fails when the connection is opened. */
typedef struct {
    const char *rule; /* NULL: none */
    setting settings[SETTINGS_MAX];
    hw_status status; /* HW_OK: nothing is wrong */
    const char *says;
} mistake;

static void check_mistake(const mistake *mistake)
{
    client *client = client_new();
    if (mistake->rule != NULL) client_rule(client, mistake->rule);
    for (int i = 0; i < SETTINGS_MAX && mistake->settings[i].name != NULL; i++)
        client_set(client, mistake->settings[i].name, mistake->settings[i].value);
    hw_error error = NEW_ERROR;
    hw_connection *connection = NULL;
    hw_status status = hw_connection_open(client->config, server_url("raw", "/obey"), &connection, &error);
    if (status != mistake->status)
        FAIL("%s = %s: %s, %s", mistake->settings[0].name, mistake->settings[0].value, hw_status_name(status), error.message);
    if (status != HW_OK) {
        CHECK_CONTAINS(error.message, mistake->says);
        CHECK_EQUAL(error.layer, HW_LAYER_CONFIGURATION);
        CHECK(connection == NULL);
    }
    client->connection = connection;
    client_free(client);
}

#define CHECK_MISTAKES(mistakes)                                                                                                     \
    for (size_t i = 0; i < sizeof(mistakes) / sizeof *(mistakes); i++) check_mistake(&(mistakes)[i])

TEST(a_beat_needs_an_interval_and_one_payload)
{
    static const mistake mistakes[] = {
        {NULL, {{"heartbeat.interval", "1s"}}, HW_E_CONFLICT, "heartbeat.interval is set without heartbeat.text or heartbeat.binary"},
        {NULL, {{"heartbeat.text", "x"}}, HW_E_CONFLICT, "without heartbeat.interval"},
        {NULL, {{"heartbeat.binary", "x"}}, HW_E_CONFLICT, "without heartbeat.interval"},
        {NULL, {{"heartbeat.text", "x"}, {"heartbeat.interval", "0ms"}}, HW_E_CONFLICT, "without heartbeat.interval"},
        {NULL, {{"heartbeat.when", "idle_tx"}}, HW_E_CONFLICT, "heartbeat.when is set without heartbeat.interval"},
        {NULL, {{"heartbeat.text", "x"}, {"heartbeat.binary", "x"}, {"heartbeat.interval", "1s"}}, HW_E_CONFLICT, "one payload"},
        {NULL, {{"heartbeat.text", "x"}, {"heartbeat.interval", "1s"}, {"heartbeat.when", "idle_any"}}, HW_OK, NULL},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(values_out_of_range_are_refused_at_once)
{
    static const setting wrong[] = {
        {"heartbeat.interval", "-1s"}, {"heartbeat.interval", "25h"},      {"heartbeat.interval", "1"},
        {"ping.interval", "-1s"},      {"ping.timeout", "0ms"},            {"ping.timeout", "25h"},
        {"response.timeout", "0"},     {"response.timeout", "61m"},        {"response.target", "-5ms"},
        {"heartbeat.when", "idle"},    {"heartbeat.failure_threshold", "0"}, {"heartbeat.on_failure", "retry"},
        {"liveness", "ping"},          {"watch.on_silence", "ignore"},     {"health.error_intervals", "0"},
        {"quality.fair_mean", "0ms"},  {"detector.thread", "io"},          {"heartbeat.close_code", "999"},
        {"heartbeat.close_code", "5000"}, {"heartbeat.adaptive", "yes"},
    };
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hw_error error = NEW_ERROR;
        hw_status status = hw_config_set(config, wrong[i].name, wrong[i].value, &error);
        if (status != HW_E_VALUE) FAIL("%s = %s: %s", wrong[i].name, wrong[i].value, hw_status_name(status));
        CHECK_CONTAINS(error.message, wrong[i].name);
        CHECK_CONTAINS(error.message, "it takes ");
    }
    char *large = calloc(1, 65537);
    CHECK_STATUS(hw_config_set_bytes(config, "heartbeat.text", large, 65537, NULL), HW_E_VALUE);
    CHECK_STATUS(hw_config_set_bytes(config, "heartbeat.binary", large, 65537, NULL), HW_E_VALUE);
    CHECK_STATUS(hw_config_set_bytes(config, "heartbeat.text", "\xC3\x28", 2, NULL), HW_E_VALUE);
    free(large);
    hw_config_free(config);
}

TEST(an_unknown_preset_is_told_with_the_nearest_name)
{
    static const struct {
        const char *name, *says;
    } cases[] = {
        {"derbit", "unknown preset 'derbit'; did you mean 'deribit'?"},
        {"Deribit", "did you mean 'deribit'?"},
        {"zzzzzzzzzzzzzzzzzzzzzzzz", "hw_preset_describe lists the presets"},
    };
    hw_config *config = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hw_error error = NEW_ERROR;
        CHECK_STATUS(hw_config_set(config, "preset", cases[i].name, &error), HW_E_PRESET);
        CHECK_CONTAINS(error.message, cases[i].says);
    }
    CHECK_STATUS(hw_config_set(config, "preset", "deribit", NULL), HW_OK);
    CHECK_STATUS(hw_config_set(config, "preset", "", NULL), HW_OK);
    hw_config_free(config);
}

TEST(parameters_must_be_known_and_complete)
{
    static const mistake mistakes[] = {
        {NULL, {{"preset", "kucoin"}}, HW_E_CONFLICT, "needs preset.parameters to say ping_interval= (ms)"},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", "ping_timeout=5000"}}, HW_E_CONFLICT, "ping_interval="},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", "ping_interval"}}, HW_E_VALUE, "name=value, separated by commas"},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", "ping_interval=18000,speed=9"}}, HW_E_VALUE, "'speed', which no rule uses"},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", "ping_interval=soon"}}, HW_E_VALUE, "ping_interval"},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", "ping_interval=-5"}}, HW_E_VALUE, "ping_interval"},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", "ping_interval="}}, HW_E_VALUE, "ping_interval"},
        {NULL, {{"preset", "deribit"}, {"preset.parameters", "x=1"}}, HW_E_VALUE, "'x', which no rule uses"},
        {NULL, {{"preset.parameters", "x=1"}}, HW_E_VALUE, "'x', which no rule uses"},
        {NULL, {{"preset", "deribit"}, {"preset.parameters", "counter=many"}}, HW_E_VALUE, "counter"},
        {NULL, {{"preset", "deribit"}, {"preset.parameters", "counter=99999999999999999999"}}, HW_E_VALUE, "counter"},
        {NULL, {{"preset", "kucoin"}, {"preset.parameters", " ping_interval = 18000 , counter=7 ,"}}, HW_OK, NULL},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(closing_and_order_are_checked)
{
    static const mistake mistakes[] = {
        {NULL, {{"heartbeat.close_code", "1002"}}, HW_E_VALUE, "takes 1000, 1001 or 3000 to 4999"},
        {NULL, {{"heartbeat.close_code", "2999"}}, HW_E_VALUE, "takes 1000, 1001 or 3000 to 4999"},
        {NULL, {{"heartbeat.close_code", "1000"}}, HW_OK, NULL},
        {NULL, {{"heartbeat.close_code", "3000"}}, HW_OK, NULL},
        {NULL, {{"response.target", "1001ms"}}, HW_E_CONFLICT, "response.target is larger than response.warning"},
        {NULL, {{"response.warning", "3s"}}, HW_E_CONFLICT, "response.warning is larger than response.critical"},
        {NULL, {{"response.timeout", "1s"}}, HW_E_CONFLICT, "response.critical is larger than response.timeout"},
        {NULL, {{"health.warning_intervals", "3"}}, HW_E_CONFLICT, "health.warning_intervals is larger than health.error_intervals"},
        {NULL, {{"quality.excellent_mean", "150ms"}}, HW_E_CONFLICT, "quality.excellent_mean is larger than quality.good_mean"},
        {NULL, {{"quality.excellent_variance", "51"}}, HW_E_CONFLICT, "quality.excellent_variance is larger"},
        {NULL, {{"quality.good_mean", "201ms"}}, HW_E_CONFLICT, "quality.good_mean is larger than quality.fair_mean"},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(the_intervals_of_adaptive_pings_are_in_order)
{
    static const mistake mistakes[] = {
        {NULL, {{"ping.interval_fair", "10s"}}, HW_E_CONFLICT, "but heartbeat.adaptive is not"},
        {NULL, {{"ping.interval_poor", "10s"}, {"heartbeat.adaptive", "false"}}, HW_E_CONFLICT, "but heartbeat.adaptive is not"},
        {NULL, {{"ping.interval_poor", "1ms"}, {"heartbeat.adaptive", "true"}, {"ping.interval", "0"}}, HW_E_CONFLICT, "no pings are sent"},
        {NULL, {{"ping.interval_fair", "20001ms"}, {"heartbeat.adaptive", "true"}}, HW_E_CONFLICT, "is larger than ping.interval;"},
        {NULL, {{"ping.interval_poor", "20001ms"}, {"heartbeat.adaptive", "true"}}, HW_E_CONFLICT, "is larger than ping.interval;"},
        {NULL, {{"ping.interval_fair", "5s"}, {"ping.interval_poor", "6s"}, {"heartbeat.adaptive", "true"}}, HW_E_CONFLICT,
         "ping.interval_poor is larger than ping.interval_fair"},
        {NULL, {{"ping.interval_fair", "5s"}, {"ping.interval_poor", "5s"}, {"heartbeat.adaptive", "true"}}, HW_OK, NULL},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(a_close_reason_fits_into_a_close_frame)
{
    char reason[125];
    memset(reason, 'r', sizeof reason);
    reason[124] = 0;
    check_mistake(&(mistake){NULL, {{"heartbeat.close_reason", reason}}, HW_E_VALUE, "at most 123 bytes"});
    reason[123] = 0;
    check_mistake(&(mistake){NULL, {{"heartbeat.close_reason", reason}}, HW_OK, NULL});
}

#define BEAT(every) "{\"beat\":[{\"every\":\"" every "\",\"send\":{\"body\":\"{\\\"op\\\":\\\"ping\\\"}\"}}]}"

TEST(beats_that_say_the_same_conflict)
{
    static const mistake mistakes[] = {
        {BEAT("1s"), {{"heartbeat.text", "{\"op\":\"ping\"}"}, {"heartbeat.interval", "5s"}}, HW_E_CONFLICT, "heartbeat.text"},
        {NULL, {{"preset", "okx"}, {"heartbeat.text", "ping"}, {"heartbeat.interval", "5s"}}, HW_E_CONFLICT, "heartbeat.text"},
        {"{\"beat\":[{\"every\":\"9s\",\"send\":{\"body\":\"ping\"}}]}", {{"preset", "okx"}}, HW_E_RULE, "the same as another beat"},
        {"{\"replace\":[\"beat\"],\"beat\":[{\"every\":\"9s\",\"send\":{\"body\":\"ping\"}}]}", {{"preset", "okx"}}, HW_OK, NULL},
        {BEAT("1s"), {{"preset", "okx"}}, HW_OK, NULL},
        {NULL, {{"preset", "okx"}, {"heartbeat.text", "PING"}, {"heartbeat.interval", "5s"}}, HW_OK, NULL},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(where_sending_is_forbidden_nothing_may_be_sent)
{
    static const mistake mistakes[] = {
        {NULL, {{"preset", "twitch-eventsub"}, {"heartbeat.text", "x"}, {"heartbeat.interval", "5s"}}, HW_E_CONFLICT, "heartbeat.interval"},
        {NULL, {{"preset", "twitch-eventsub"}, {"ping.interval", "5s"}}, HW_E_CONFLICT, "ping.interval"},
        {NULL, {{"preset", "twitch-eventsub"}, {"ping.interval", "0"}}, HW_OK, NULL},
        {BEAT("1s"), {{"preset", "twitch-eventsub"}}, HW_E_RULE, "sending is forbidden"},
    };
    CHECK_MISTAKES(mistakes);
}

TEST(rules_that_do_not_fit_the_preset_are_found_when_opening)
{
    static const mistake mistakes[] = {
        {"{\"frame\":{\"split\":\"\\n\"}}", {{"preset", "signalr-json"}}, HW_E_RULE, "differs from the frame"},
        {"{\"watch\":[{\"on\":\"any_rx\",\"within\":\"9s\",\"probe\":\"beat\"}]}", {{NULL, NULL}}, HW_E_RULE, "there is no beat to send"},
        {"{\"watch\":[{\"on\":\"any_rx\",\"within\":\"9s\",\"probe\":\"beat\"}]}", {{"preset", "okx"}}, HW_OK, NULL},
    };
    CHECK_MISTAKES(mistakes);
}

static hw_detection find_nothing(hw_connection *connection, const hw_message *message, hw_reply *reply, void *context)
{
    (void)connection, (void)message, (void)reply, (void)context;
    return HW_DETECT_NONE;
}

TEST(a_detector_beside_an_inbox_runs_inline_or_not_at_all)
{
    hw_config *config = NULL;
    hw_inbox *inbox = NULL;
    hw_connection *connection = NULL;
    CHECK_STATUS(hw_config_new(&config), HW_OK);
    CHECK_STATUS(hw_inbox_new(NULL, &inbox), HW_OK);
    CHECK_STATUS(hw_config_set_inbox(config, inbox, NULL), HW_OK);
    CHECK_STATUS(hw_config_on_detect(config, find_nothing, NULL), HW_OK);
    hw_error error = NEW_ERROR;
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, &error), HW_E_CONFLICT);
    CHECK_CONTAINS(error.message, "set detector.thread to \"inline\", or answer with hw_connection_respond");
    CHECK_STATUS(hw_config_set(config, "detector.thread", "inline", NULL), HW_OK);
    CHECK_STATUS(hw_connection_open(config, server_url("ws", "/echo"), &connection, &error), HW_OK);
    hw_connection_release(connection);
    CHECK_STATUS(hw_config_on_detect(NULL, find_nothing, NULL), HW_E_HANDLE);
    hw_config_free(config);
    hw_inbox_release(inbox);
}
