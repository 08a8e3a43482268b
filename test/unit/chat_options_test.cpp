#include "core/llm/chat_options.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

std::string complaint(std::string_view options) {
    try {
        parse_chat_options(options);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::malformed_options);
        return error.what();
    }
    return "none";
}

TEST(ChatOptions, ReadsEveryMember) {
    const ChatOptions options =
        parse_chat_options(R"({"temperature":0,"top_p":0.5,"max_tokens":7,"stop":"END","seed":-3,
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],
        "tool_choice":{"type":"function","function":{"name":"f"}},"thinking":{"effort":"low"},
        "images":["data:image/gif;base64,AA==",{"url":"https://example.com/b.png"}],
        "cache":true,"fallback_models":["a","b"],"extra":{"top_k":4}})");
    EXPECT_EQ(options.temperature, 0.0);
    EXPECT_EQ(options.top_p, 0.5);
    EXPECT_EQ(options.max_tokens, 7);
    EXPECT_EQ(options.stop, std::vector<std::string>{"END"});
    EXPECT_EQ(options.seed, -3);
    EXPECT_EQ(options.tools[0]["function"]["name"], "f");
    EXPECT_EQ(options.tool_choice["function"]["name"], "f");
    EXPECT_EQ(options.thinking.dump(), R"({"effort":"low"})");
    ASSERT_EQ(options.images.size(), 2u);
    EXPECT_EQ(options.images[0].media_type, "image/gif");
    EXPECT_EQ(options.images[1].url, "https://example.com/b.png");
    EXPECT_TRUE(options.cache);
    EXPECT_EQ(options.fallback_models, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(options.extra.dump(), R"({"top_k":4})");
}

TEST(ChatOptions, ACacheMayHaveATime) {
    EXPECT_EQ(parse_chat_options(R"({"cache":true})").cache_ttl_s, std::nullopt);
    const ChatOptions options = parse_chat_options(R"({"cache":{"ttl_s":60}})");
    EXPECT_TRUE(options.cache);
    EXPECT_EQ(options.cache_ttl_s, 60);
    EXPECT_FALSE(parse_chat_options(R"({"cache":false})").cache);
}

TEST(ChatOptions, NothingAndNullAreTheDefaults) {
    for (const char* text :
         {"", "null", "{}", R"({"temperature":null,"tools":null,"cache":null})", R"({"tools":[]})"}) {
        const ChatOptions options = parse_chat_options(text);
        EXPECT_FALSE(options.temperature.has_value());
        EXPECT_TRUE(options.tools.is_null());
        EXPECT_FALSE(options.cache);
    }
}

TEST(ChatOptions, NamesTheMemberThatIsWrong) {
    struct Case {
        const char* options;
        const char* complaint;
    };
    for (const Case& c : {
             Case{"[]", "options: must be an object"},
             Case{"{", "options: not valid JSON at byte 2"},
             Case{R"({"temprature":1})", "options: unknown option \"temprature\""},
             Case{R"({"temperature":2.1})", "options.temperature: must be from 0 to 2"},
             Case{R"({"temperature":-0.1})", "options.temperature: must be from 0 to 2"},
             Case{R"({"temperature":"1"})", "options.temperature: must be a number"},
             Case{R"({"top_p":1.5})", "options.top_p: must be from 0 to 1"},
             Case{R"({"max_tokens":0})", "options.max_tokens: must be greater than 0"},
             Case{R"({"max_tokens":1.5})", "options.max_tokens: must be an integer"},
             Case{R"({"max_tokens":18446744073709551615})", "options.max_tokens: must be less than 2^63"},
             Case{R"({"seed":"x"})", "options.seed: must be an integer"},
             Case{R"({"stop":[""]})", "options.stop[0]: must not be empty"},
             Case{R"({"stop":[1]})", "options.stop[0]: must be a string"},
             Case{R"({"stop":7})", "options.stop: must be a string or an array of strings"},
             Case{R"({"tools":[{"type":"magic"}]})", "options.tools[0].type: must be \"function\""},
             Case{R"({"tools":[{"type":"function","function":{}}]})",
                  "options.tools[0].function.name: must be a string"},
             Case{R"({"tool_choice":"any"})",
                  "options.tool_choice: must be \"auto\", \"none\", \"required\" or a function to call"},
             Case{R"({"tool_choice":{"type":"function"}})", "options.tool_choice.function: must be an object"},
             Case{R"({"thinking":"yes"})", "options.thinking: is not a thinking setting"},
             Case{R"({"thinking":{"effort":"most"}})", "options.thinking: is not a thinking setting"},
             Case{R"({"thinking":{"budget_tokens":0}})", "options.thinking.budget_tokens: must be greater than 0"},
             Case{R"({"images":["ftp://x"]})", "options.images[0]: must be a bytea, an https URL or a data URL"},
             Case{R"({"cache":1})", "options.cache: is not a cache setting"},
             Case{R"({"cache":{"ttl":1}})", "options.cache.ttl_s: must be an integer"},
             Case{R"({"cache":{"ttl_s":0}})", "options.cache.ttl_s: must be greater than 0"},
             Case{R"({"cache":{"ttl_s":31536001}})", "options.cache.ttl_s: must be at most 31536000, a year"},
             Case{R"({"fallback_models":["1","2","3","4","5","6","7","8","9","10","11"]})",
                  "options.fallback_models: has more than 10 models"},
             Case{R"({"extra":[]})", "options.extra: must be an object"},
             Case{R"({"extra":{"top_k":1,"model":"other"}})", "options.extra: must not hold \"model\""},
             Case{R"({"extra":{"messages":[]}})", "options.extra: must not hold \"messages\""},
             Case{R"({"extra":{"stream_options":null}})", "options.extra: must not hold \"stream_options\""},
             Case{R"({"fallback_models":[null]})", "options.fallback_models[0]: must be a string"},
         })
        EXPECT_EQ(complaint(c.options), c.complaint);
}

TEST(ChatOptions, AnUnknownMemberGetsAHint) {
    try {
        parse_chat_options(R"({"n":2})");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.hint(),
                  "Known options: temperature, top_p, max_tokens, stop, seed, tools, tool_choice, thinking, images, "
                  "cache, fallback_models, extra.");
    }
}

TEST(ChatOptions, AResponseFormatIsAnObject) {
    EXPECT_TRUE(parse_response_format("").is_null());
    EXPECT_TRUE(parse_response_format("null").is_null());
    EXPECT_EQ(parse_response_format(R"({"type":"object"})").dump(), R"({"type":"object"})");
    EXPECT_THROW(parse_response_format("true"), Error);
}

}  // namespace
}  // namespace pgchat
