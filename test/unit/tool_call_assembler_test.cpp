#include "core/llm/tool_call_assembler.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(ToolCallAssembler, WithoutAnIndexANewIdStartsANewCall) {
    ToolCallAssembler calls;
    EXPECT_TRUE(calls.add({std::nullopt, "a", "f", "{\"x\":", false}));
    EXPECT_TRUE(calls.add({std::nullopt, "", "", "1}", false}));
    EXPECT_TRUE(calls.add({std::nullopt, "b", "g", "{}", false}));
    bool sanitized = false;
    EXPECT_EQ(calls.assembled(sanitized).dump(),
              R"([{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
              R"({"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}])");
    EXPECT_FALSE(sanitized);
}

TEST(ToolCallAssembler, FragmentsOfSeveralCallsMayAlternate) {
    ToolCallAssembler calls;
    calls.add({0, "a", "f", "1", false});
    calls.add({1, "b", "g", "2", false});
    calls.add({0, "", "", "1", false});
    bool sanitized = false;
    const Json result = calls.assembled(sanitized);
    EXPECT_EQ(result[0]["function"]["arguments"], "11");
    EXPECT_EQ(result[1]["function"]["arguments"], "2");
}

TEST(ToolCallAssembler, MendsArgumentsAndNames) {
    ToolCallAssembler calls;
    bool sanitized = false;
    EXPECT_TRUE(calls.assembled(sanitized).is_null());
    calls.add({5, "", "f", R"({"a":"\ud800"})", false});
    calls.add({6, "", "g", "", false});
    EXPECT_EQ(calls.assembled(sanitized).dump(),
              R"([{"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"a\":\"�\"}"}},)"
              R"({"id":"call_1","type":"function","function":{"name":"g","arguments":"{}"}}])");
    EXPECT_TRUE(sanitized);
}

}  // namespace
}  // namespace pgchat
