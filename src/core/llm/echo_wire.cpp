#include "core/llm/echo_wire.hpp"

#include "core/llm/json_field.hpp"

namespace pgchat {
namespace {

constexpr const char* reply_id = "echo";

const char* echo_finish_reason(const EchoRequest& request) {
    if (request.length_reached) return "length";
    return request.script.tool_calls.empty() ? "stop" : "tool_calls";
}

Json usage_of(const EchoRequest& request) {
    const auto output = static_cast<std::int64_t>(request.token_ends.size());
    return Json{{"prompt_tokens", request.input_tokens},
                {"completion_tokens", output},
                {"total_tokens", request.input_tokens + output}};
}

Json envelope(const EchoRequest& request, const char* object, Json choices) {
    return Json{{"id", reply_id}, {"object", object}, {"model", request.model}, {"choices", std::move(choices)}};
}

void append_event(std::string& out, const Json& event) {
    out.append("data: ").append(event.dump()).append("\n\n");
}

void append_delta(std::string& out, const EchoRequest& request, Json delta, Json finish_reason = nullptr) {
    Json choice{{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish_reason)}};
    append_event(out, envelope(request, "chat.completion.chunk", Json::array({std::move(choice)})));
}

Json indexed(const Json& tool_calls) {
    Json result = Json::array();
    for (const Json& call : tool_calls) {
        Json entry{{"index", result.size()}};
        if (call.is_object()) entry.update(call);
        result.push_back(std::move(entry));
    }
    return result;
}

}  // namespace

void append_echo_opening(std::string& out, const EchoRequest& request) {
    append_delta(out, request, {{"role", "assistant"}, {"content", nullptr}});
}

void append_echo_token(std::string& out, const EchoRequest& request, std::size_t index) {
    const char* member = index < request.thinking_tokens ? "reasoning_content" : "content";
    append_delta(out, request, {{member, request.token(index)}});
}

void append_echo_closing(std::string& out, const EchoRequest& request) {
    if (!request.script.tool_calls.empty())
        append_delta(out, request, {{"tool_calls", indexed(request.script.tool_calls)}});
    append_delta(out, request, Json::object(), echo_finish_reason(request));
    if (request.include_usage) {
        Json event = envelope(request, "chat.completion.chunk", Json::array());
        event["usage"] = usage_of(request);
        append_event(out, event);
    }
    out.append("data: [DONE]\n\n");
}

std::string echo_document(const EchoRequest& request) {
    if (!request.embeddings.empty()) return request.embeddings;
    const std::string_view text(request.text);
    const std::size_t split = request.thinking_tokens == 0 ? 0 : request.token_ends[request.thinking_tokens - 1];
    const std::size_t end = request.token_ends.empty() ? 0 : request.token_ends.back();
    Json message{{"role", "assistant"}, {"content", text.substr(split, end - split)}};
    if (split > 0) message["reasoning_content"] = text.substr(0, split);
    if (!request.script.tool_calls.empty()) message["tool_calls"] = request.script.tool_calls;
    Json choice{{"index", 0}, {"message", std::move(message)}, {"finish_reason", echo_finish_reason(request)}};
    Json document = envelope(request, "chat.completion", Json::array({std::move(choice)}));
    document["usage"] = usage_of(request);
    return document.dump();
}

std::string echo_error_body(int status) {
    Json error{{"message", "echo answers with status " + std::to_string(status)}, {"type", "echo"}};
    return Json{{"error", std::move(error)}}.dump();
}

}  // namespace pgchat
