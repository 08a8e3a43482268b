#include "core/llm/plain_messages.hpp"

#include "core/llm/json_reader.hpp"
#include "core/text/blank.hpp"

namespace pgchat {
namespace {

std::optional<Role> plain_role(std::string_view name) noexcept {
    if (name == "user") return Role::user;
    if (name == "assistant") return Role::assistant;
    if (name == "system") return Role::system;
    return std::nullopt;
}

// Throws simdjson_error where a member has another type.
bool read_message(ondemand::object object, ChatMessage& message) {
    bool has_role = false, has_content = false;
    for (auto field : object) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "role" && !has_role) {
            const auto role = plain_role(json_text(value));
            if (!role) return false;
            message.role = *role;
            has_role = true;
        } else if (key == "content" && !has_content) {
            message.content = json_text(value);
            has_content = true;
        } else {
            return false;
        }
    }
    return has_role && has_content && (message.role != Role::user || !is_blank_text(message.content));
}

}  // namespace

std::optional<std::vector<ChatMessage>> read_plain_messages(std::string_view json, std::size_t most) {
    std::vector<ChatMessage> messages;
    const auto extract = [&](ondemand::array array) {
        for (auto element : array) {
            if (messages.size() == most) return false;
            if (!read_message(element.get_object(), messages.emplace_back())) return false;
        }
        return !messages.empty();
    };
    if (!JsonReader::for_this_thread().read_array(json, extract)) return std::nullopt;
    return messages;
}

}  // namespace pgchat
