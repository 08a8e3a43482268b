#include "core/llm/ollama.hpp"

#include <gtest/gtest.h>

#include "encode_support.hpp"

namespace pgchat {
namespace {

HttpRequest encode(const ChatRequest& request, bool stream = false, std::string base_url = "http://h:11434") {
    ProviderConfig config;
    config.base_url = std::move(base_url);
    return provider_for(ProviderKind::ollama).encode(config, "llama", request, stream);
}

TEST(Ollama, EncodesASimpleRequest) {
    const HttpRequest request = encode(chat(hello, {}, "Be brief"), true);
    EXPECT_EQ(request.url, "http://h:11434/api/chat");
    EXPECT_EQ(request.headers,
              (std::vector<std::string>{"Content-Type: application/json", "Accept: application/x-ndjson"}));
    expect_body(request, R"({"model":"llama","messages":[{"role":"system","content":"Be brief"},
        {"role":"user","content":"Hi"}],"stream":true})");
    EXPECT_EQ(encode(chat(hello), true, "http://h/api/").url, "http://h/api/chat");
}

TEST(Ollama, EncodesAConversationWithToolsAndImages) {
    expect_body(encode(chat(long_talk, all_options)), R"({"model":"llama","messages":[
        {"role":"system","content":"Rules"},{"role":"user","content":"One"},{"role":"user","content":"Two"},
        {"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},
            {"function":{"name":"g","arguments":{"arguments":"not json"}}}]},
        {"role":"tool","content":"r1","tool_name":"f"},{"role":"tool","content":"r2","tool_name":"g"},
        {"role":"assistant","content":"So"},{"role":"user","content":"See","images":["AAAA"]}],"stream":false,
        "options":{"temperature":0.5,"top_p":0.9,"num_predict":100,"seed":7,"stop":["X","Y"]},
        "tools":[{"type":"function","function":{"name":"f","description":"does f",
            "parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g"}}]})");
}

TEST(Ollama, TranslatesFormatAndThinking) {
    const auto member = [](const char* name, const char* options, const char* format = "") {
        return Json::parse(encode(chat(hello, options, {}, format)).body).value(name, Json()).dump();
    };
    EXPECT_EQ(member("format", "", R"({"type":"json_object"})"), R"("json")");
    EXPECT_EQ(member("format", "", R"({"type":"object"})"), R"({"type":"object"})");
    EXPECT_EQ(member("format", ""), "null");
    EXPECT_EQ(member("think", R"({"thinking":false})"), "false");
    EXPECT_EQ(member("think", R"({"thinking":{"effort":"high"}})"), R"("high")");
    EXPECT_EQ(member("think", R"({"thinking":{"budget_tokens":9}})"), "true");
    EXPECT_EQ(member("tools", R"({"tool_choice":"none","tools":[{"type":"function","function":{"name":"f"}}]})"),
              "null");
}

TEST(Ollama, ExtraOptionsJoinTheOthers) {
    expect_body(encode(chat(hello, R"({"seed":1,"extra":{"options":{"num_ctx":8192},"keep_alive":"5m"}})")),
                R"({"model":"llama","messages":[{"role":"user","content":"Hi"}],"stream":false,
        "options":{"seed":1,"num_ctx":8192},"keep_alive":"5m"})");
}

TEST(Ollama, TakesNoImageUrls) {
    EXPECT_THROW(encode(chat(hello, R"({"images":["https://e.com/x.png"]})")), Error);
}

}  // namespace
}  // namespace pgchat
