// The bytes of request bodies, which are partly written without a tree, against bodies made as trees.
#include <gtest/gtest.h>

#include "core/llm/anthropic_messages.hpp"
#include "core/llm/json_write.hpp"
#include "core/llm/openai.hpp"
#include "core/llm/provider_http.hpp"
#include "core/llm/request_messages.hpp"
#include "core/llm/schema_forms.hpp"
#include "random_request.hpp"

namespace pgchat {
namespace {

constexpr int requests_to_try = 3000;

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json openai_content(const ChatRequest& request, std::size_t index) {
    const std::string& text = request.messages[index].content;
    Json parts = Json::array();
    if (!text.empty()) parts.push_back({{"type", "text"}, {"text", text}});
    const auto images = images_of(request, index, last_user_message(request));
    for (const ImagePart* image : images)
        parts.push_back({{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64," + image->base64}}}});
    return images.empty() ? Json(text) : parts;
}

Json openai_reference(const ChatRequest& request) {
    Json messages = Json::array();
    if (!request.system_prompt.empty()) messages.push_back({{"role", "system"}, {"content", request.system_prompt}});
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        const ChatMessage& message = request.messages[i];
        messages.push_back({{"role", role_name(message.role)}, {"content", openai_content(request, i)}});
        Json& entry = messages.back();
        if (!message.tool_calls.is_null()) {
            if (message.content.empty()) entry["content"] = nullptr;
            entry["tool_calls"] = message.tool_calls;
        }
        if (message.role == Role::tool) entry["tool_call_id"] = message.tool_call_id;
    }
    return messages;
}

Json anthropic_blocks(const ChatRequest& request, std::size_t index) {
    const ChatMessage& message = request.messages[index];
    Json blocks = Json::array();
    if (message.role == Role::tool)
        return Json::array(
            {Json{{"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.content}}});
    for (const ImagePart* image : images_of(request, index, last_user_message(request)))
        blocks.push_back({{"type", "image"},
                          {"source", {{"type", "base64"}, {"media_type", "image/png"}, {"data", image->base64}}}});
    if (!message.content.empty()) blocks.push_back({{"type", "text"}, {"text", message.content}});
    for (const Json& call : message.tool_calls)
        blocks.push_back({{"type", "tool_use"},
                          {"id", call["id"]},
                          {"name", call["function"]["name"]},
                          {"input", arguments_object(call)}});
    return blocks;
}

Json anthropic_reference(const ChatRequest& request) {
    Json messages = Json::array();
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        if (request.messages[i].role == Role::system) continue;
        const char* role = request.messages[i].role == Role::assistant ? "assistant" : "user";
        const Json blocks = anthropic_blocks(request, i);
        if (blocks.empty()) continue;
        if (messages.empty() || messages.back()["role"] != role)
            messages.push_back({{"role", role}, {"content", Json::array()}});
        for (const Json& block : blocks) messages.back()["content"].push_back(block);
    }
    for (Json& message : messages) {
        const Json content = message["content"];
        if (content.size() == 1 && content[0]["type"] == "text") message["content"] = content[0]["text"];
    }
    return messages;
}

Json ollama_reference(const ChatRequest& request) {
    Json messages = Json::array();
    if (!request.system_prompt.empty()) messages.push_back({{"role", "system"}, {"content", request.system_prompt}});
    std::vector<Json> calls;
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        const ChatMessage& message = request.messages[i];
        Json entry{{"role", role_name(message.role)}, {"content", message.content}};
        for (const ImagePart* image : images_of(request, i, last_user_message(request)))
            entry["images"].push_back(image->base64);
        if (!message.tool_calls.is_null()) entry["tool_calls"] = Json::array();
        for (const Json& call : message.tool_calls)
            entry["tool_calls"].push_back(
                {{"function", {{"name", call["function"]["name"]}, {"arguments", arguments_object(call)}}}});
        if (message.role == Role::tool) {
            entry["tool_name"] = message.tool_call_id;
            // The latest message counts, and in it the first call.
            for (auto call = calls.rbegin(); call != calls.rend(); ++call)
                if ((*call)["id"] == message.tool_call_id) {
                    entry["tool_name"] = (*call)["function"]["name"];
                    break;
                }
        }
        calls.insert(calls.end(), message.tool_calls.rbegin(), message.tool_calls.rend());
        messages.push_back(std::move(entry));
    }
    return messages;
}

Json openai_response_format(const Json& format) {
    if (format.contains("type") && format["type"] != "object") return format;
    Json wrapper{{"name", "response"}, {"schema", format}, {"strict", is_strict_schema(format)}};
    return Json{{"type", "json_schema"}, {"json_schema", std::move(wrapper)}};
}

Json openai_body_reference(const ChatRequest& request, bool stream) {
    const ChatOptions& options = request.options;
    Json body{{"model", "m"}, {"messages", openai_reference(request)}};
    if (options.temperature) body["temperature"] = *options.temperature;
    if (options.top_p) body["top_p"] = *options.top_p;
    if (options.max_tokens) body["max_tokens"] = *options.max_tokens;
    if (options.seed) body["seed"] = *options.seed;
    if (!options.stop.empty()) body["stop"] = options.stop;
    if (!options.tools.is_null()) body["tools"] = options.tools;
    if (!options.tool_choice.is_null()) body["tool_choice"] = options.tool_choice;
    if (options.thinking == true || options.thinking.is_object()) body["reasoning_effort"] = "medium";
    if (!request.response_format.is_null()) body["response_format"] = openai_response_format(request.response_format);
    if (stream) body.update(Json{{"stream", true}, {"stream_options", {{"include_usage", true}}}});
    if (!options.extra.is_null()) body.update(options.extra);
    return body;
}

std::string body_of(ProviderKind kind, const ChatRequest& request, bool stream) {
    return provider_for(kind).encode({}, "m", request, stream).body;
}

TEST(RequestBody, IsForOpenaiWhatATreeWouldGive) {
    RandomRequests requests(1);
    for (int i = 0; i < requests_to_try; ++i) {
        const ChatRequest request = requests.next();
        const bool stream = requests.chance(2);
        ASSERT_EQ(body_of(ProviderKind::openai, request, stream), dumped(openai_body_reference(request, stream))) << i;
    }
}

// The other members are written as OpenAI's are: what is compared is that, and the messages.
TEST(RequestBody, HasForTheOthersTheMessagesThatATreeWouldGive) {
    RandomRequests requests(2);
    for (int i = 0; i < requests_to_try; ++i) {
        const ChatRequest request = requests.next();
        for (const ProviderKind kind : {ProviderKind::anthropic, ProviderKind::ollama}) {
            const std::string body = body_of(kind, request, true);
            Json expected = Json::parse(body);
            if (!request.options.extra.contains("messages"))
                expected["messages"] =
                    kind == ProviderKind::ollama ? ollama_reference(request) : anthropic_reference(request);
            ASSERT_EQ(body, dumped(expected)) << i;
        }
    }
}

TEST(RequestBody, LetsMembersThatAreNamedLikeTheMessagesReplaceThem) {
    ChatRequest request;
    request.messages.push_back({Role::user, "Hi", {}, {}, {}});
    request.options.max_tokens = 9;
    ProviderConfig config;
    config.options = Json{{"max_tokens_field", "messages"}};
    EXPECT_EQ(provider_for(ProviderKind::openai).encode(config, "m", request, false).body,
              R"({"model":"m","messages":9})");
    request.options.extra = Json{{"messages", nullptr}, {"model", "x"}};
    EXPECT_EQ(body_of(ProviderKind::openai, request, false), R"({"model":"x","messages":null,"max_tokens":9})");
}

TEST(JsonWrite, WritesEachByteAsNlohmannDoes) {
    for (int byte = 0; byte < 256; ++byte)
        for (std::size_t before = 0; before < 18; ++before) {
            const std::string text = std::string(before, 'x') + static_cast<char>(byte) + std::string(17 - before, 'y');
            std::string written;
            append_json_text(written, text);
            ASSERT_EQ(written, dumped(Json(text))) << byte;
        }
}

TEST(JsonWrite, WritesEachKindOfValueAsNlohmannDoes) {
    const Json values = Json::parse(R"([null,true,false,0,-1,9223372036854775807,-9223372036854775808,
        18446744073709551615,0.0,-0.0,1.5,1e-7,1e22,123456789.125,"","\u0000",[],{},[[]],{"":{"a\"":[1,{}]}}])");
    std::string written;
    append_json(written, values);
    EXPECT_EQ(written, dumped(values));
}

TEST(JsonWrite, PutsTextInAPlace) {
    std::string written;
    append_json(written, Json{{"a", 1}, {"b", json_placeholder()}}, "[2]");
    EXPECT_EQ(written, R"({"a":1,"b":[2]})");
}

}  // namespace
}  // namespace pgchat
