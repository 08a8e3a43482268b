// What is sent, over a matrix of options, against the facts of each provider's published API.
#include <gtest/gtest.h>

#include <array>

#include "core/llm/schema_check.hpp"
#include "encode_support.hpp"
#include "fixture_reader.hpp"

namespace pgchat {
namespace {

constexpr std::string_view tools = R"("tools":[{"type":"function","function":{"name":"f","description":"does f",
    "parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}},{"type":"function","function":{"name":"g"}}])";

constexpr std::array option_sets{
    R"("temperature":0)",
    R"("temperature":1,"top_p":1)",
    R"("max_tokens":2000)",
    R"("stop":"END")",
    R"("stop":["A","B","C","D"])",
    R"("seed":7)",
    R"("thinking":true)",
    R"("thinking":false)",
    R"("thinking":{"budget_tokens":1024})",
    R"("thinking":{"effort":"minimal"})",
    R"("thinking":{"effort":"high"})",
    R"("thinking":{"effort":"max"})",
    R"("images":["data:image/png;base64,AAAA"])",
    R"("images":["\\x89504e470d0a1a0a"])",
};

constexpr std::array tool_choices{"", R"(,"tool_choice":"auto")", R"(,"tool_choice":"none")"};
constexpr std::array forced_choices{R"(,"tool_choice":"required")",
                                    R"(,"tool_choice":{"type":"function","function":{"name":"f"}})"};

constexpr std::array formats{
    "",
    R"({"type":"text"})",
    R"({"type":"json_object"})",
    R"({"type":"object","properties":{"a":{"type":"integer","minimum":1}},"required":["a"],"additionalProperties":false})",
    R"({"type":"object","additionalProperties":{"type":"string"}})",
    R"({"type":"json_schema","json_schema":{"name":"n","schema":{"type":"array","items":{"type":"string"}}}})",
};

class RequestSchema : public testing::TestWithParam<ProviderKind> {
protected:
    static std::string folder() {
        if (GetParam() == ProviderKind::openai) return "openai/";
        return GetParam() == ProviderKind::anthropic ? "anthropic/" : "ollama/";
    }
    void check(const ChatRequest& request, bool stream) {
        const Provider& provider = provider_for(GetParam());
        const HttpRequest sent =
            request.embeds ? provider.encode_embeddings({}, "m", request) : provider.encode({}, "m", request, stream);
        const SortedJson& schema = request.embeds ? embeddings : chats;
        EXPECT_EQ(schema_fault(schema, SortedJson::parse(sent.body)).value_or("none"), "none") << sent.body;
        ++checked;
    }
    void check_all(std::string_view messages, const std::string& options, std::string_view system) {
        for (const char* format : formats)
            for (const bool stream : {false, true}) check(chat(messages, options, system, format), stream);
    }

    SortedJson chats = SortedJson::parse(read_fixture(folder() + "request.schema.json"));
    SortedJson embeddings = GetParam() == ProviderKind::anthropic
                                ? SortedJson()
                                : SortedJson::parse(read_fixture(folder() + "embeddings.schema.json"));
    int checked = 0;
};

TEST_P(RequestSchema, EveryOptionAloneAndTheLongTalk) {
    for (const std::string_view messages : {hello, long_talk})
        for (const std::string_view system : {"", "Be brief."})
            for (const char* options : option_sets) check_all(messages, "{" + std::string(options) + "}", system);
    EXPECT_EQ(checked, 2 * 2 * 14 * 6 * 2);
}

TEST_P(RequestSchema, ToolsAndTheirChoice) {
    for (const char* choice : tool_choices) check_all(long_talk, "{" + std::string(tools) + choice + "}", "");
    if (GetParam() == ProviderKind::ollama) return;
    for (const char* choice : forced_choices) check_all(long_talk, "{" + std::string(tools) + choice + "}", "");
}

TEST_P(RequestSchema, Embeddings) {
    ChatRequestText text;
    text.embeds = true;
    text.messages = R"(["a","b"])";
    if (GetParam() == ProviderKind::anthropic) {
        EXPECT_THROW(check(parse_chat_request(text), false), Error) << "its API has none";
        return;
    }
    for (const char* options : {"", R"({"dimensions":8})"}) {
        text.options = options;
        check(parse_chat_request(text), false);
    }
}

TEST_P(RequestSchema, TheFactsRefuseWhatTheApiDoesNotKnow) {
    for (const char* body : {R"({"model":"m"})", R"({"model":"m","messages":[{"role":"robot","content":"x"}]})",
                             R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}],"unknown":1})"})
        EXPECT_TRUE(schema_fault(chats, SortedJson::parse(body))) << body;
}

INSTANTIATE_TEST_SUITE_P(Families, RequestSchema,
                         testing::Values(ProviderKind::openai, ProviderKind::anthropic, ProviderKind::ollama));

}  // namespace
}  // namespace pgchat
