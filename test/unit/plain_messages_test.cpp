#include "core/llm/plain_messages.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(PlainMessages, ReadsTextsOfThreeRoles) {
    const auto read = read_plain_messages(
        R"( [{"role": "system", "content": "s"}, {"content": "h\u00e9 \"q\"\n", "role": "user"},
             {"role": "assistant", "content": ""}] )",
        3);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 3u);
    EXPECT_EQ((*read)[0].role, Role::system);
    EXPECT_EQ((*read)[1].role, Role::user);
    EXPECT_EQ((*read)[1].content, "h\u00e9 \"q\"\n");
    EXPECT_EQ((*read)[2].role, Role::assistant);
    EXPECT_TRUE((*read)[2].tool_calls.is_null());
}

TEST(PlainMessages, LeavesEverythingElseToTheOtherWay) {
    for (const char* json : {
             "",
             "null",
             "{}",
             "[]",
             "[1]",
             "[[]]",
             R"([{"role":"user","content":"a"})",
             R"([{"role":"user","content":"a"}] x)",
             R"([{"role":"user","content":"a"},])",
             R"([{"role":"user"}])",
             R"([{"content":"a"}])",
             R"([{"role":"user","content":" "}])",
             R"([{"role":"user","content":null}])",
             R"([{"role":"user","content":[{"type":"text","text":"a"}]}])",
             R"([{"role":"user","content":"a","name":"n"}])",
             R"([{"role":"user","role":"user","content":"a"}])",
             R"([{"role":"tool","content":"a","tool_call_id":"c"}])",
             R"([{"role":"robot","content":"a"}])",
             R"([{"role":"user","content":"\u0000"}])",
             R"([{"role":"user","content":"\ud800"}])",
             "[{\"role\":\"user\",\"content\":\"\xC0\xAF\"}]",
         })
        EXPECT_FALSE(read_plain_messages(json, 10)) << json;
}

TEST(PlainMessages, CountsThem) {
    const char* const two = R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])";
    EXPECT_TRUE(read_plain_messages(two, 2));
    EXPECT_FALSE(read_plain_messages(two, 1));
}

}  // namespace
}  // namespace pgchat
