#include "core/llm/request_messages.hpp"

#include "core/llm/json_parse.hpp"

namespace pgchat {

const char* role_name(Role role) noexcept {
    switch (role) {
        case Role::system:
            return "system";
        case Role::user:
            return "user";
        case Role::assistant:
            return "assistant";
        case Role::tool:
            return "tool";
    }
    return "user";
}

std::size_t last_user_message(const ChatRequest& request) noexcept {
    for (std::size_t i = request.messages.size(); i > 0; --i)
        if (request.messages[i - 1].role == Role::user) return i - 1;
    return request.messages.size();
}

std::vector<const ImagePart*> images_of(const ChatRequest& request, std::size_t index, std::size_t last_user) {
    std::vector<const ImagePart*> images;
    for (const ImagePart& image : request.messages[index].images) images.push_back(&image);
    if (index == last_user)
        for (const ImagePart& image : request.options.images) images.push_back(&image);
    return images;
}

bool is_plain_message(const ChatRequest& request, std::size_t index, std::size_t last_user) noexcept {
    const ChatMessage& message = request.messages[index];
    if (index == last_user && !request.options.images.empty()) return false;
    return message.role != Role::tool && message.tool_calls.is_null() && message.images.empty();
}

Json arguments_object(const Json& tool_call) {
    const std::string& text = tool_call.at("function").at("arguments").get_ref<const std::string&>();
    if (text.empty()) return Json::object();
    try {
        Json arguments = parse_json(text, ChatRequestLimits{}.max_nesting);
        if (arguments.is_object()) return arguments;
    } catch (const JsonError&) {
        return Json{{"arguments", text}};  // a model wrote it: it goes back as it was said
    }
    return Json{{"arguments", text}};
}

}  // namespace pgchat
