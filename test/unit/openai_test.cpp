#include "core/llm/openai.hpp"

#include <gtest/gtest.h>

#include "encode_support.hpp"

namespace pgchat {
namespace {

HttpRequest encode_openai(const ChatRequest& request, bool stream = false, std::string_view settings = "null") {
    ProviderConfig config;
    config.base_url = "https://api.example.com/v1";
    config.auth = AuthType::bearer;
    config.api_key = SecretText("k");
    config.options = Json::parse(settings);
    return provider_for(ProviderKind::openai).encode(config, "gpt-x", request, stream);
}

TEST(Openai, EncodesASimpleRequest) {
    const HttpRequest request = encode_openai(chat(hello, {}, "Be brief"));
    EXPECT_EQ(request.url, "https://api.example.com/v1/chat/completions");
    EXPECT_EQ(request.headers, (std::vector<std::string>{"Content-Type: application/json", "Accept: application/json",
                                                         "Authorization: Bearer k"}));
    expect_body(request, R"({"model":"gpt-x","messages":[{"role":"system","content":"Be brief"},
        {"role":"user","content":"Hi"}]})");
}

TEST(Openai, AsksForUsageInAStream) {
    expect_body(encode_openai(chat(hello), true), R"({"model":"gpt-x","messages":[{"role":"user","content":"Hi"}],
        "stream":true,"stream_options":{"include_usage":true}})");
    expect_body(encode_openai(chat(hello), true, R"({"include_usage":false})"),
                R"({"model":"gpt-x","messages":[{"role":"user","content":"Hi"}],"stream":true})");
}

TEST(Openai, EncodesAConversationWithToolsAndImages) {
    expect_body(encode_openai(chat(long_talk, all_options)), R"({"model":"gpt-x","messages":[
        {"role":"system","content":"Rules"},{"role":"user","content":"One"},{"role":"user","content":"Two"},
        {"role":"assistant","content":null,"tool_calls":[
            {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
            {"id":"c2","type":"function","function":{"name":"g","arguments":"not json"}}]},
        {"role":"tool","content":"r1","tool_call_id":"c1"},{"role":"tool","content":"r2","tool_call_id":"c2"},
        {"role":"assistant","content":"So"},
        {"role":"user","content":[{"type":"text","text":"See"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],
        "temperature":0.5,"top_p":0.9,"max_tokens":100,"seed":7,"stop":["X","Y"],
        "tools":[{"type":"function","function":{"name":"f","description":"does f",
            "parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g"}}],
        "tool_choice":"required"})");
}

TEST(Openai, AttachesImagesOfTheOptionsToTheLastUserMessage) {
    const auto request = encode_openai(chat(R"([{"role":"user","content":"a"},{"role":"user","content":"b"},
        {"role":"assistant","content":"c"}])",
                                            R"({"images":["https://e.com/x.png"]})"));
    expect_body(request, R"({"model":"gpt-x","messages":[{"role":"user","content":"a"},
        {"role":"user","content":[{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"https://e.com/x.png"}}]},
        {"role":"assistant","content":"c"}]})");
}

TEST(Openai, TakesMaxTokensUnderAnotherName) {
    expect_body(
        encode_openai(chat(hello, R"({"max_tokens":9})"), false, R"({"max_tokens_field":"max_completion_tokens"})"),
        R"({"model":"gpt-x","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":9})");
}

TEST(Openai, WrapsABareSchema) {
    expect_body(encode_openai(chat(hello, {}, {}, R"({"type":"object","properties":{"a":{"type":"string"}}})")),
                R"({"model":"gpt-x","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema",
        "json_schema":{"name":"response","schema":{"type":"object","properties":{"a":{"type":"string"}}},"strict":false}}})");
    const auto strict =
        R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
    EXPECT_EQ(Json::parse(encode_openai(chat(hello, {}, {}, strict)).body)["response_format"]["json_schema"]["strict"],
              true);
    for (const char* own : {R"({"type":"json_object"})", R"({"type":"text"})",
                            R"({"type":"json_schema","json_schema":{"name":"n","schema":{}}})"})
        EXPECT_EQ(Json::parse(encode_openai(chat(hello, {}, {}, own)).body)["response_format"].dump(), own);
}

TEST(Openai, TranslatesThinkingToEffort) {
    const auto effort = [](const char* options) {
        const Json body = Json::parse(encode_openai(chat(hello, options)).body);
        return body.contains("reasoning_effort") ? body["reasoning_effort"].get<std::string>() : "none";
    };
    EXPECT_EQ(effort(R"({"thinking":{"effort":"high"}})"), "high");
    EXPECT_EQ(effort(R"({"thinking":{"effort":"minimal"}})"), "minimal");
    EXPECT_EQ(effort(R"({"thinking":{"effort":"max"}})"), "max");
    EXPECT_EQ(effort(R"({"thinking":true})"), "medium");
    EXPECT_EQ(effort(R"({"thinking":false})"), "none");
    EXPECT_EQ(effort(R"({"thinking":{"budget_tokens":1024}})"), "low");
    EXPECT_EQ(effort(R"({"thinking":{"budget_tokens":32000}})"), "high");
}

TEST(Openai, EncodesEmbeddings) {
    ProviderConfig config;
    config.base_url = "https://h/v1";
    ChatRequestText text;
    text.embeds = true;
    text.messages = R"(["a","b"])";
    text.options = R"({"dimensions":8,"extra":{"user":"u"}})";
    const HttpRequest request =
        provider_for(ProviderKind::openai).encode_embeddings(config, "m", parse_chat_request(text));
    EXPECT_EQ(request.url, "https://h/v1/embeddings");
    expect_body(request, R"({"model":"m","input":["a","b"],"dimensions":8,"user":"u"})");
}

TEST(Openai, ExtraHasTheLastWord) {
    expect_body(encode_openai(chat(hello, R"({"temperature":1,"extra":{"temperature":0.1,"top_k":5}})")),
                R"({"model":"gpt-x","messages":[{"role":"user","content":"Hi"}],"temperature":0.1,"top_k":5})");
}

TEST(Openai, KeepsTheQueryOfAnAzureUrl) {
    ProviderConfig config;
    config.base_url = "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21";
    config.auth = AuthType::api_key;
    config.api_key = SecretText("k");
    const HttpRequest request = provider_for(ProviderKind::openai).encode(config, "m", chat(hello), false);
    EXPECT_EQ(request.url, "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21");
    EXPECT_EQ(request.headers.back(), "api-key: k");
}

TEST(Openai, RefusesAKeyWithALineBreak) {
    ProviderConfig config;
    config.api_key = SecretText("k\r\nX: y");
    for (const auto kind : {ProviderKind::openai, ProviderKind::anthropic, ProviderKind::ollama, ProviderKind::echo})
        EXPECT_THROW(provider_for(kind).encode(config, "m", chat(hello), false), Error);
}

}  // namespace
}  // namespace pgchat
