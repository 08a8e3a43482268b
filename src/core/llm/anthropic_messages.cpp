#include "core/llm/anthropic_messages.hpp"

#include <vector>

#include "core/llm/message_list.hpp"
#include "core/llm/request_messages.hpp"

namespace pgchat {
namespace {

Json image_block(const ImagePart& image) {
    Json source = image.url.empty() ? Json{{"type", "base64"}, {"media_type", image.media_type}, {"data", image.base64}}
                                    : Json{{"type", "url"}, {"url", image.url}};
    return Json{{"type", "image"}, {"source", std::move(source)}};
}

Json tool_result_block(const ChatMessage& message) {
    return Json{{"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.content}};
}

Json blocks_of(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    const ChatMessage& message = request.messages[index];
    Json blocks = Json::array();
    if (message.role == Role::tool) {
        blocks.push_back(tool_result_block(message));
        return blocks;
    }
    for (const ImagePart* image : images_of(request, index, last_user)) blocks.push_back(image_block(*image));
    if (!message.content.empty()) blocks.push_back({{"type", "text"}, {"text", message.content}});
    for (const Json& call : message.tool_calls)
        blocks.push_back({{"type", "tool_use"},
                          {"id", call.at("id")},
                          {"name", call.at("function").at("name")},
                          {"input", arguments_object(call)}});
    return blocks;
}

std::string_view anthropic_role(const ChatRequest& request, std::size_t index) noexcept {
    return request.messages[index].role == Role::assistant ? "assistant" : "user";
}

bool has_blocks(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    const ChatMessage& message = request.messages[index];
    if (message.role == Role::system) return false;
    return message.role == Role::tool || !message.content.empty() || !message.tool_calls.empty() ||
           !images_of(request, index, last_user).empty();
}

// A single text may be written as the text itself, which is shorter.
Json content_of_blocks(Json blocks) {
    if (blocks.size() != 1 || blocks[0].at("type") != "text") return blocks;
    return std::move(blocks[0]["text"]);
}

// Adds the messages at `turn`, which are all of one role, as one.
void add_turn(MessageList& messages, const ChatRequest& request, const std::vector<std::size_t>& turn,
              std::size_t last_user) {
    const std::string_view role = anthropic_role(request, turn.front());
    if (turn.size() == 1 && is_plain_message(request, turn.front(), last_user))
        return messages.add(role, request.messages[turn.front()].content);
    Json blocks = Json::array();
    for (const std::size_t index : turn)
        for (Json& block : blocks_of(request, index, last_user)) blocks.push_back(std::move(block));
    messages.add(Json{{"role", role}, {"content", content_of_blocks(std::move(blocks))}});
}

}  // namespace

std::string anthropic_system(const ChatRequest& request) {
    std::string system = request.system_prompt;
    for (const ChatMessage& message : request.messages) {
        if (message.role != Role::system || message.content.empty()) continue;
        if (!system.empty()) system += "\n\n";
        system += message.content;
    }
    return system;
}

std::string anthropic_messages(const ChatRequest& request) {
    MessageList messages = list_for(request);
    const std::size_t last_user = last_user_message(request);
    std::vector<std::size_t> turn;
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        if (!has_blocks(request, i, last_user)) continue;
        if (!turn.empty() && anthropic_role(request, turn.front()) != anthropic_role(request, i)) {
            add_turn(messages, request, turn, last_user);
            turn.clear();
        }
        turn.push_back(i);
    }
    if (!turn.empty()) add_turn(messages, request, turn, last_user);
    return std::move(messages).take();
}

}  // namespace pgchat
