#include "core/llm/structured_reply.hpp"

#include "core/llm/chat_options.hpp"
#include "core/llm/json_parse.hpp"
#include "core/llm/request_messages.hpp"
#include "core/llm/response_schema.hpp"
#include "core/llm/schema_check.hpp"
#include "core/text/blank.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

// The engine parses it between the tokens of others.
constexpr std::size_t most_reply_bytes = 4u << 20;
// What the model is shown of a reply that is wrong.
constexpr std::size_t most_shown_bytes = 64u << 10;

}  // namespace

bool asks_for_json(std::string_view response_format) {
    const Json parsed = parse_response_format(response_format, ChatRequestLimits{}.max_nesting);
    return response_shape(parsed).kind != ResponseShape::Kind::text;
}

std::optional<std::string> structured_reply_fault(const Json& response_format, std::string_view reply) {
    const ResponseShape shape = response_shape(response_format);
    if (shape.kind == ResponseShape::Kind::text) return std::nullopt;
    if (reply.size() > most_reply_bytes) return "it is longer than " + std::to_string(most_reply_bytes) + " bytes";
    SortedJson value;
    try {
        value = parse_sorted_json(reply, ChatRequestLimits{}.max_nesting);
    } catch (const JsonError& error) {
        return error.what();
    }
    if (shape.kind == ResponseShape::Kind::any_json)
        return value.is_object() ? std::nullopt : std::optional<std::string>("$: must be an object");
    return schema_fault(SortedJson(shape.schema), value);
}

void ask_for_repair(ChatRequest& request, std::string_view reply, const std::string& fault) {
    // They belong to the message that was the last of the user's.
    if (const std::size_t last = last_user_message(request); last < request.messages.size()) {
        std::vector<ImagePart>& images = request.messages[last].images;
        images.insert(images.end(), request.options.images.begin(), request.options.images.end());
        request.options.images.clear();
    }
    if (!is_blank_text(reply))
        request.messages.push_back({Role::assistant, std::string(truncate_text(reply, most_shown_bytes)), {}, {}, {}});
    request.messages.push_back({Role::user,
                                "This reply cannot be used: " + fault +
                                    "\nAnswer again with nothing but JSON that is valid and as was asked for.",
                                {},
                                {},
                                {}});
}

}  // namespace pgchat
