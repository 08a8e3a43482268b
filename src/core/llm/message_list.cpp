#include "core/llm/message_list.hpp"

#include "core/llm/json_write.hpp"
#include "core/llm/request_messages.hpp"

namespace pgchat {
namespace {

// What is written around a text, and some escapes in it.
constexpr std::size_t bytes_beside_text = 64;

}  // namespace

MessageList::MessageList(std::size_t messages, std::size_t bytes) {
    json_.reserve(messages * bytes_beside_text + bytes);
    json_ += '[';
}

void MessageList::add(std::string_view role, std::string_view content) {
    separate();
    json_.append(R"({"role":")").append(role).append(R"(","content":)");
    append_json_text(json_, content);
    json_ += '}';
}

void MessageList::add(const Json& message) {
    separate();
    append_json(json_, message);
}

std::string MessageList::take() && {
    json_ += ']';
    return std::move(json_);
}

void MessageList::separate() {
    if (json_.size() > 1) json_ += ',';
}

MessageList list_for(const ChatRequest& request) {
    std::size_t bytes = request.system_prompt.size();
    for (const ChatMessage& message : request.messages) bytes += message.content.size();
    return {request.messages.size() + 1, bytes};
}

std::string message_list(const ChatRequest& request,
                         Json (*in_full)(const ChatRequest& request, std::size_t index, std::size_t last_user)) {
    MessageList messages = list_for(request);
    if (!request.system_prompt.empty()) messages.add("system", request.system_prompt);
    const std::size_t last_user = last_user_message(request);
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        const ChatMessage& message = request.messages[i];
        if (is_plain_message(request, i, last_user))
            messages.add(role_name(message.role), message.content);
        else
            messages.add(in_full(request, i, last_user));
    }
    return std::move(messages).take();
}

}  // namespace pgchat
