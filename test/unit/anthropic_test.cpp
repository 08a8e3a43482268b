#include "core/llm/anthropic.hpp"

#include <gtest/gtest.h>

#include "encode_support.hpp"

namespace pgchat {
namespace {

HttpRequest encode_anthropic(const ChatRequest& request, bool stream = false, std::string_view settings = "null",
                             std::string base_url = "https://api.example.com") {
    ProviderConfig config;
    config.base_url = std::move(base_url);
    config.auth = AuthType::x_api_key;
    config.api_key = SecretText("k");
    config.options = Json::parse(settings);
    return provider_for(ProviderKind::anthropic).encode(config, "claude-x", request, stream);
}

TEST(Anthropic, EncodesASimpleRequest) {
    const HttpRequest request = encode_anthropic(chat(hello, {}, "Be brief"), true);
    EXPECT_EQ(request.url, "https://api.example.com/v1/messages");
    EXPECT_EQ(request.headers, (std::vector<std::string>{"Content-Type: application/json", "Accept: text/event-stream",
                                                         "anthropic-version: 2023-06-01", "x-api-key: k"}));
    expect_body(request, R"({"model":"claude-x","max_tokens":4096,"system":"Be brief",
        "messages":[{"role":"user","content":"Hi"}],"stream":true})");
}

TEST(Anthropic, TakesItsSettings) {
    const HttpRequest request =
        encode_anthropic(chat(hello), false, R"({"version":"2024-01-01","default_max_tokens":10})", "https://h/v1/");
    EXPECT_EQ(request.url, "https://h/v1/messages");
    EXPECT_EQ(request.headers[2], "anthropic-version: 2024-01-01");
    expect_body(request, R"({"model":"claude-x","max_tokens":10,"messages":[{"role":"user","content":"Hi"}]})");
    EXPECT_THROW(encode_anthropic(chat(hello), false, R"({"version":"a\r\nb"})"), Error);
}

TEST(Anthropic, EncodesAConversationWithToolsAndImages) {
    expect_body(encode_anthropic(chat(long_talk, all_options, "Be brief")), R"({"model":"claude-x","max_tokens":100,
        "system":"Be brief\n\nRules","messages":[
        {"role":"user","content":[{"type":"text","text":"One"},{"type":"text","text":"Two"}]},
        {"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":{"a":1}},
            {"type":"tool_use","id":"c2","name":"g","input":{"arguments":"not json"}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"r1"},
            {"type":"tool_result","tool_use_id":"c2","content":"r2"}]},
        {"role":"assistant","content":"So"},
        {"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
            {"type":"text","text":"See"}]}],
        "temperature":0.5,"top_p":0.9,"stop_sequences":["X","Y"],
        "tools":[{"name":"f","description":"does f","input_schema":{"type":"object","properties":{}}},
            {"name":"g","input_schema":{"type":"object"}}],
        "tool_choice":{"type":"any"}})");
}

TEST(Anthropic, TranslatesTheToolChoice) {
    const auto choice = [](const char* options) {
        return Json::parse(encode_anthropic(chat(hello, options)).body)["tool_choice"].dump();
    };
    EXPECT_EQ(choice(R"({"tool_choice":"auto"})"), R"({"type":"auto"})");
    EXPECT_EQ(choice(R"({"tool_choice":"none"})"), R"({"type":"none"})");
    EXPECT_EQ(choice(R"({"tool_choice":{"type":"function","function":{"name":"f"}}})"),
              R"({"type":"tool","name":"f"})");
}

TEST(Anthropic, TranslatesThinking) {
    const auto body = [](const char* options) { return encode_anthropic(chat(hello, options)); };
    expect_body(body(R"({"thinking":{"budget_tokens":2000}})"), R"({"model":"claude-x","max_tokens":6096,
        "messages":[{"role":"user","content":"Hi"}],"thinking":{"type":"enabled","budget_tokens":2000}})");
    expect_body(body(R"({"thinking":{"effort":"low"}})"), R"({"model":"claude-x","max_tokens":4096,
        "messages":[{"role":"user","content":"Hi"}],"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}})");
    EXPECT_EQ(Json::parse(body(R"({"thinking":true})").body)["thinking"].dump(), R"({"type":"adaptive"})");
    EXPECT_EQ(Json::parse(body(R"({"thinking":false})").body)["thinking"].dump(), R"({"type":"disabled"})");
}

TEST(Anthropic, TranslatesTheResponseFormat) {
    const auto schema_body = R"json({"model":"claude-x","max_tokens":4096,"messages":[{"role":"user","content":"Hi"}],
        "output_config":{"format":{"type":"json_schema","schema":{"type":"object",
        "properties":{"a":{"type":"integer","description":"(minimum: 1)"}},"additionalProperties":false}}}})json";
    expect_body(
        encode_anthropic(chat(hello, {}, {}, R"({"type":"object","properties":{"a":{"type":"integer","minimum":1}}})")),
        schema_body);
    expect_body(encode_anthropic(
                    chat(hello, {}, {}, R"({"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object",
            "properties":{"a":{"type":"integer","minimum":1}}}}})")),
                schema_body);
    expect_body(encode_anthropic(chat(hello, {}, {}, R"({"type":"object"})")), R"({"model":"claude-x","max_tokens":4096,
        "system":"Answer with a single JSON value that is valid under this JSON Schema, and nothing else: {\"type\":\"object\"}",
        "messages":[{"role":"user","content":"Hi"}]})");
    expect_body(encode_anthropic(chat(hello, {}, "S", R"({"type":"json_object"})")),
                R"({"model":"claude-x","max_tokens":4096,
        "system":"S\n\nAnswer with a single JSON object and nothing else.","messages":[{"role":"user","content":"Hi"}]})");
}

TEST(Anthropic, RefusesWhatItsApiHasNothingFor) {
    const auto code_of = [](const auto& call) {
        try {
            call();
        } catch (const Error& error) {
            EXPECT_FALSE(error.hint().empty());
            return error.code();
        }
        return ErrorCode::internal;
    };
    EXPECT_EQ(code_of([] { encode_anthropic(chat(hello, R"({"temperature":1.5})")); }),
              ErrorCode::unsupported_by_provider);
    EXPECT_EQ(code_of([] { provider_for(ProviderKind::anthropic).encode_embeddings({}, "m", {}); }),
              ErrorCode::unsupported_by_provider);
    EXPECT_EQ(
        Json::parse(
            encode_anthropic(chat(hello, R"({"thinking":{"effort":"minimal"}})")).body)["output_config"]["effort"],
        "low");
}

TEST(Anthropic, LeavesOutEmptyMessages) {
    expect_body(
        encode_anthropic(chat(R"([{"role":"user","content":"a"},{"role":"assistant","content":""},
        {"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/i.png"}}]}])",
                              R"({"extra":{"top_k":3}})")),
        R"({"model":"claude-x","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"a"},
        {"type":"image","source":{"type":"url","url":"https://e.com/i.png"}}]}],"top_k":3})");
}

}  // namespace
}  // namespace pgchat
