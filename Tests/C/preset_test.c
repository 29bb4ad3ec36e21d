/* Presets as hw_preset_describe gives them. */
#include <stdint.h>
#include <string.h>

#include "test.h"

/* The description at index; 0 past the end. */
static int describe(size_t index, hw_preset *preset)
{
    *preset = (hw_preset){.struct_size = sizeof *preset};
    hw_status status = hw_preset_describe(index, preset);
    if (status != HW_OK) CHECK_STATUS(status, HW_E_RANGE);
    return status == HW_OK;
}

static hw_preset described(const char *name)
{
    hw_preset preset;
    for (size_t i = 0; describe(i, &preset); i++)
        if (strcmp(preset.name, name) == 0) return preset;
    FAIL("%s is not described", name);
}

TEST(all_presets_are_described)
{
    hw_preset preset;
    size_t count = 0;
    while (describe(count, &preset)) {
        CHECK(strlen(preset.name) > 0 && strlen(preset.services) > 0 && strlen(preset.source) > 0);
        CHECK(preset.rule[0] == '{' && preset.rule[strlen(preset.rule) - 1] == '}');
        CHECK(preset.parameters != NULL);
        count++;
    }
    CHECK(count > 100);
    CHECK_STATUS(hw_preset_describe(count, &preset), HW_E_RANGE);
    CHECK_STATUS(hw_preset_describe(SIZE_MAX, &preset), HW_E_RANGE);
}

TEST(a_preset_says_what_it_is_for)
{
    hw_preset preset = described("bitmex");
    CHECK_TEXT(preset.services, "BitMEX");
    CHECK_CONTAINS(preset.source, "BitMEX/api-connectors");
    CHECK_CONTAINS(preset.rule, "\"when\":\"idle_rx\"");
    CHECK_TEXT(preset.parameters, "");
}

TEST(parameters_are_lines)
{
    CHECK_TEXT(described("kucoin").parameters,
               "ping_interval (ms, required): pingInterval of the answer to the HTTP request for a token, such as 18000.\n"
               "ping_timeout (ms, optional): pingTimeout of the same answer; 10000 if not given.");
}

TEST(strings_stay_where_they_are)
{
    hw_preset first = described("kucoin"), second = described("kucoin");
    CHECK(first.rule == second.rule && first.parameters == second.parameters);
}

TEST(bad_arguments_are_refused)
{
    hw_preset preset;
    memset(&preset, 0x5A, sizeof preset);
    CHECK_STATUS(hw_preset_describe(0, NULL), HW_E_ARGUMENT);
    preset.struct_size = sizeof preset.struct_size;
    CHECK_STATUS(hw_preset_describe(0, &preset), HW_E_ARGUMENT);
    CHECK_EQUAL((uintptr_t)preset.name, 0x5A5A5A5A5A5A5A5A);
    preset.struct_size = offsetof(hw_preset, services);
    CHECK_STATUS(hw_preset_describe(0, &preset), HW_OK);
    CHECK_TEXT(preset.name, "deribit");
    CHECK_EQUAL((uintptr_t)preset.services, 0x5A5A5A5A5A5A5A5A);
}
