#include "core/llm/anthropic_messages.hpp"

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

// A single text may be written as the text itself, which is shorter.
void simplify(Json& message) {
    Json& blocks = message["content"];
    if (blocks.size() != 1 || blocks[0].at("type") != "text") return;
    std::string text = std::move(blocks[0]["text"].get_ref<std::string&>());
    blocks = std::move(text);
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

Json anthropic_messages(const ChatRequest& request) {
    Json messages = Json::array();
    const std::size_t last_user = last_user_message(request);
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        if (request.messages[i].role == Role::system) continue;
        const char* role = request.messages[i].role == Role::assistant ? "assistant" : "user";
        Json blocks = blocks_of(request, i, last_user);
        if (blocks.empty()) continue;
        if (messages.empty() || messages.back().at("role") != role) {
            messages.push_back({{"role", role}, {"content", std::move(blocks)}});
            continue;
        }
        for (Json& block : blocks) messages.back()["content"].push_back(std::move(block));
    }
    for (Json& message : messages) simplify(message);
    return messages;
}

}  // namespace pgchat
