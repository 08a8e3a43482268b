#include "core/llm/ollama.hpp"

#include <gtest/gtest.h>

#include "encode_support.hpp"

namespace pgchat {
namespace {

HttpRequest encode_ollama(const ChatRequest& request, bool stream = false, std::string base_url = "http://h:11434") {
    ProviderConfig config;
    config.base_url = std::move(base_url);
    return provider_for(ProviderKind::ollama).encode(config, "llama", request, stream);
}

ErrorCode refusal_by_ollama(const char* options) {
    try {
        encode_ollama(chat(hello, options));
    } catch (const Error& error) {
        EXPECT_FALSE(error.hint().empty());
        return error.code();
    }
    return ErrorCode::internal;
}

TEST(Ollama, EncodesASimpleRequest) {
    const HttpRequest request = encode_ollama(chat(hello, {}, "Be brief"), true);
    EXPECT_EQ(request.url, "http://h:11434/api/chat");
    EXPECT_EQ(request.headers,
              (std::vector<std::string>{"Content-Type: application/json", "Accept: application/x-ndjson"}));
    expect_body(request, R"({"model":"llama","messages":[{"role":"system","content":"Be brief"},
        {"role":"user","content":"Hi"}],"stream":true})");
    EXPECT_EQ(encode_ollama(chat(hello), true, "http://h/api/").url, "http://h/api/chat");
}

TEST(Ollama, EncodesAConversationWithToolsAndImages) {
    const std::string options(all_options);
    const std::string offered_tools = options.substr(0, options.find(",\n    \"tool_choice\"")) + "}";
    expect_body(encode_ollama(chat(long_talk, offered_tools)), R"({"model":"llama","messages":[
        {"role":"system","content":"Rules"},{"role":"user","content":"One"},{"role":"user","content":"Two"},
        {"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},
            {"function":{"name":"g","arguments":{"arguments":"not json"}}}]},
        {"role":"tool","content":"r1","tool_name":"f"},{"role":"tool","content":"r2","tool_name":"g"},
        {"role":"assistant","content":"So"},{"role":"user","content":"See","images":["AAAA"]}],"stream":false,
        "options":{"temperature":0.5,"top_p":0.9,"num_predict":100,"seed":7,"stop":["X","Y"]},
        "tools":[{"type":"function","function":{"name":"f","description":"does f",
            "parameters":{"type":"object","properties":{}}}},
            {"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]})");
}

TEST(Ollama, TranslatesFormatAndThinking) {
    const auto member = [](const char* name, const char* options, const char* format = "") {
        return Json::parse(encode_ollama(chat(hello, options, {}, format)).body).value(name, Json()).dump();
    };
    EXPECT_EQ(member("format", "", R"({"type":"json_object"})"), R"("json")");
    EXPECT_EQ(member("format", "", R"({"type":"object"})"), R"({"type":"object"})");
    EXPECT_EQ(member("format", ""), "null");
    EXPECT_EQ(member("think", R"({"thinking":false})"), "false");
    EXPECT_EQ(member("think", R"({"thinking":{"effort":"high"}})"), R"("high")");
    EXPECT_EQ(member("think", R"({"thinking":{"effort":"minimal"}})"), R"("low")");
    EXPECT_EQ(member("think", R"({"thinking":{"effort":"xhigh"}})"), R"("max")");
    EXPECT_EQ(member("think", R"({"thinking":{"budget_tokens":9}})"), "true");
    EXPECT_EQ(member("tools", R"({"tool_choice":"none","tools":[{"type":"function","function":{"name":"f"}}]})"),
              "null");
}

TEST(Ollama, ExtraOptionsJoinTheOthers) {
    expect_body(encode_ollama(chat(hello, R"({"seed":1,"extra":{"options":{"num_ctx":8192},"keep_alive":"5m"}})")),
                R"({"model":"llama","messages":[{"role":"user","content":"Hi"}],"stream":false,
        "options":{"seed":1,"num_ctx":8192},"keep_alive":"5m"})");
}

TEST(Ollama, RefusesWhatItsApiHasNothingFor) {
    EXPECT_EQ(refusal_by_ollama(R"({"images":["https://e.com/x.png"]})"), ErrorCode::unsupported_by_provider);
    const std::string tools = R"("tools":[{"type":"function","function":{"name":"f"}}])";
    EXPECT_EQ(refusal_by_ollama(("{\"tool_choice\":\"required\"," + tools + "}").c_str()),
              ErrorCode::unsupported_by_provider);
    EXPECT_EQ(
        refusal_by_ollama((R"({"tool_choice":{"type":"function","function":{"name":"f"}},)" + tools + "}").c_str()),
        ErrorCode::unsupported_by_provider);
    EXPECT_STREQ(sqlstate(ErrorCode::unsupported_by_provider), "0A000");
}

TEST(Ollama, EncodesEmbeddings) {
    ProviderConfig config;
    config.base_url = "http://h:11434";
    ChatRequestText text;
    text.embeds = true;
    text.messages = R"(["a","b"])";
    text.options = R"({"dimensions":8,"extra":{"truncate":false}})";
    const HttpRequest request =
        provider_for(ProviderKind::ollama).encode_embeddings(config, "m", parse_chat_request(text));
    EXPECT_EQ(request.url, "http://h:11434/api/embed");
    expect_body(request, R"({"model":"m","input":["a","b"],"dimensions":8,"truncate":false})");
}

}  // namespace
}  // namespace pgchat
