/* What begins a rotation: age, advice by a rule, and a close code that announces a restart. */
#include "rotation.h"

#include <stdio.h>
#include <string.h>

TEST(connections_are_rotated_when_they_reach_an_age)
{
    group group = group_new("rotation-after");
    client *client = rotating();
    client_set(client, "rotate.after", "20ms");
    client_connect(client, group_url(&group, "raw", "&count="));
    AWAIT(client_metrics(client).rotations >= 5);
    connected_throughout(client);
    for (uint64_t i = 0; i < 5; i++) whole_rotation(client, 3 * i, i + 1);
    /* Up to a twentieth earlier than asked for. */
    for (size_t i = 0; i < 5; i++) {
        uint64_t opened_ns = client_event(client, HW_EVENT_OPENED, i)->event.time_ns;
        CHECK(client_event(client, HW_EVENT_ROTATION, 3 * i)->event.time_ns - opened_ns >= 19000000);
    }
    client_free(client);
    group_free(&group);
}

/* The shortest delay of reconnecting is an hour, and the server asks for more: only a notice that is heeded brings a connection in time. */
static client *heeding(const char *on_notice)
{
    client *new = rotating();
    client_set(new, "rotate.on_notice", on_notice);
    client_set(new, "reconnect.base", "1h");
    client_set(new, "reconnect.cap", "1h");
    client_set(new, "reconnect.jitter", "none");
    return new;
}

TEST(a_close_that_announces_a_restart_is_followed_at_once)
{
    const int codes[] = {1012, 1001};
    for (size_t i = 0; i < 2; i++) {
        char key[32];
        snprintf(key, sizeof key, "rotation-notice-%d", codes[i]);
        group group = group_new(key);
        client *client = heeding("all");
        client_connect(client, group_url(&group, "raw", ""));
        group_ask(&group, "close 1 %d", codes[i]);
        client_state(client, HW_STATE_CONNECTED, 1);
        CHECK_EQUAL(client_event(client, HW_EVENT_CLOSED, 0)->event.close_code, codes[i]);
        client_send(client, "here again");
        group_await_seen(&group, "2 here again");
        client_free(client);
        group_free(&group);
    }
}

/* What heeds no close code has the attempt wait; closing meanwhile ends it. */
TEST(a_close_is_no_notice_unless_it_is_asked_for)
{
    const char *choices[] = {"off", "rule"};
    for (size_t i = 0; i < 2; i++) {
        char key[32];
        snprintf(key, sizeof key, "rotation-no-notice-%s", choices[i]);
        group group = group_new(key);
        client *client = heeding(choices[i]);
        client_connect(client, group_url(&group, "raw", ""));
        group_ask(&group, "close 1 1012");
        client_state(client, HW_STATE_RECONNECTING, 0);
        CHECK_STATUS(hw_connection_rotate(client->connection), HW_OK);
        CHECK_STATUS(hw_connection_close(client->connection, 1000, NULL), HW_OK);
        client_state(client, HW_STATE_DISCONNECTED, 0);
        CHECK_EQUAL(client_metrics(client).attempts, 1);
        CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 0);
        client_free(client);
        group_free(&group);
    }
}

/* A server that closes every connection with 1001 as soon as it is open is not to be stormed. */
TEST(notices_in_a_row_do_not_become_a_storm)
{
    client *client = heeding("all");
    client_open(client, server_url("ws", "/close?code=1001"));
    client_event(client, HW_EVENT_CLOSED, 0);
    check_threads_rest();
    CHECK(client_metrics(client).attempts <= 3);
    client_free(client);
}

TEST(advice_found_by_a_rule_rotates)
{
    static const char rule[] = "{\"reconnect\": {\"on\": [{\"prefix\": \"restart\"}]}}";
    group group = group_new("rotation-rule");
    client *client = heeding("rule");
    /* Advice to connections that are not stable yet would wait, the second time. */
    client_set(client, "reconnect.stable_after", "0");
    client_rule(client, rule);
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "text 1 restart soon");
    client_event(client, HW_EVENT_RECONNECT_ADVISED, 0);
    whole_rotation(client, 0, 1);
    group_ask(&group, "text 2 restart soon");
    whole_rotation(client, 3, 2);
    CHECK_TEXT(group_closes(&group, 2), "1 1000\n2 1000");
    connected_throughout(client);
    client_free(client);

    client = heeding("off");
    client_rule(client, rule);
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "text 4 restart soon");
    client_event(client, HW_EVENT_RECONNECT_ADVISED, 0);
    client_send(client, "the same");
    AWAIT(strstr(group_ask(&group, "seen"), "4 the same") != NULL);
    CHECK_EQUAL(client_event_count(client, HW_EVENT_ROTATION), 0);
    CHECK_EQUAL(client_metrics(client).attempts, 1);
    client_free(client);
    group_free(&group);
}

TEST(advice_may_name_another_url)
{
    group other = group_new("rotation-other-url"), group = group_new("rotation-url");
    client *client = heeding("rule");
    client_rule(client, "{\"reconnect\": {\"on\": [{\"json\": {\"/op\": \"move\"}}], \"url\": \"/to\"}}");
    client_connect(client, group_url(&group, "raw", ""));
    group_ask(&group, "text 1 {\"op\":\"move\",\"to\":\"%s\"}", group_url(&other, "raw", ""));
    whole_rotation(client, 0, 1);
    client_send(client, "moved");
    group_await_seen(&other, "1 moved");
    client_free(client);
    group_free(&other);
    group_free(&group);
}
