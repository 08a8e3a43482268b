#include "core/llm/chat_request.hpp"

#include <algorithm>

#include "core/llm/chat_options.hpp"
#include "core/llm/content_parts.hpp"
#include "core/llm/embedding_request.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"
#include "core/llm/plain_messages.hpp"
#include "core/text/blank.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

// JSON may need six bytes for one ("\u0041"), and a message has members beside its content; more is refused unread.
constexpr std::size_t bytes_per_content_byte = 6;
constexpr std::size_t overhead_per_message = 1024;

Role parse_role(const Json& value, const JsonField& field) {
    const std::string& name = field.text(value);
    if (name == "system") return Role::system;
    if (name == "user") return Role::user;
    if (name == "assistant") return Role::assistant;
    if (name == "tool") return Role::tool;
    field.fail("unknown role", "Known roles: system, user, assistant, tool.");
}

Json parse_tool_call(const Json& value, const JsonField& field) {
    field.object(value);
    const std::string& id = field.member("id").non_empty_text(json_member(value, "id"));
    const JsonField place = field.member("function");
    const Json& function = place.object(json_member(value, "function"));
    const std::string& name = place.member("name").non_empty_text(json_member(function, "name"));
    const Json& arguments = json_member(function, "arguments");
    const std::string text = arguments.is_object() ? arguments.dump() : place.member("arguments").text(arguments);
    return Json{{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", text}}}};
}

Json parse_tool_calls(const Json& value, const JsonField& field) {
    if (value.is_null()) return nullptr;
    field.array(value);
    Json calls;
    for (std::size_t i = 0; i < value.size(); ++i) calls.push_back(parse_tool_call(value[i], field.at(i)));
    return calls;
}

ChatMessage parse_message(const Json& value, const JsonField& field) {
    field.object(value);
    ChatMessage message;
    message.role = parse_role(json_member(value, "role"), field.member("role"));
    if (message.role == Role::assistant)
        message.tool_calls = parse_tool_calls(json_member(value, "tool_calls"), field.member("tool_calls"));
    if (message.role == Role::tool) {
        const JsonField place = field.member("tool_call_id");
        message.tool_call_id = place.non_empty_text(json_member(value, "tool_call_id"));
    }
    const Json& content = json_member(value, "content");
    if (!content.is_null() || message.tool_calls.is_null()) parse_content(content, field.member("content"), message);
    if (message.role == Role::user && message.images.empty() && is_blank_text(message.content))
        throw Error(ErrorCode::empty_content, "a user message is empty", "A message needs some text.");
    return message;
}

std::vector<ChatMessage> parse_messages(std::string_view text, const ChatRequestLimits& limits) {
    const JsonField field(ErrorCode::malformed_messages, "messages");
    if (text.size() > limits.max_content_bytes * bytes_per_content_byte + limits.max_messages * overhead_per_message)
        throw Error(ErrorCode::content_too_long, "messages are too long");
    if (auto plain = read_plain_messages(text, limits.max_messages)) return *std::move(plain);
    Json document;
    try {
        document = parse_json(text, limits.max_nesting);
    } catch (const JsonError& error) {
        field.fail(error.what());
    }
    if (field.array(document).empty()) field.fail("must not be empty");
    if (document.size() > limits.max_messages)
        throw Error(ErrorCode::content_too_long,
                    "more than " + std::to_string(limits.max_messages) + " messages in one request");
    std::vector<ChatMessage> messages;
    messages.reserve(document.size());
    for (std::size_t i = 0; i < document.size(); ++i) messages.push_back(parse_message(document[i], field.at(i)));
    return messages;
}

std::size_t text_bytes(const ChatRequest& request) {
    std::size_t sum = request.system_prompt.size();
    for (const ChatMessage& message : request.messages) sum += message.content.size();
    return sum;
}

std::size_t image_bytes(const ChatRequest& request) {
    const auto bytes_of = [](const std::vector<ImagePart>& images) {
        std::size_t sum = 0;
        for (const ImagePart& image : images) sum += image.base64.size() + image.url.size();
        return sum;
    };
    std::size_t sum = bytes_of(request.options.images);
    for (const ChatMessage& message : request.messages) sum += bytes_of(message.images);
    return sum;
}

void check_size(const ChatRequest& request, const ChatRequestLimits& limits) {
    if (text_bytes(request) > limits.max_content_bytes)
        throw Error(ErrorCode::content_too_long,
                    "the messages are longer than " + std::to_string(limits.max_content_bytes) + " bytes together");
    if (image_bytes(request) > limits.max_image_bytes)
        throw Error(ErrorCode::content_too_long,
                    "the images have more than " + std::to_string(limits.max_image_bytes) + " bytes together in base64",
                    "Send fewer or smaller images.");
}

void check_images_have_a_place(const ChatRequest& request) {
    if (request.options.images.empty()) return;
    const auto is_user = [](const ChatMessage& message) { return message.role == Role::user; };
    if (!std::any_of(request.messages.begin(), request.messages.end(), is_user))
        throw Error(ErrorCode::malformed_options, "options.images: there is no user message to attach images to");
}

}  // namespace

ChatRequest parse_chat_request(const ChatRequestText& text, const ChatRequestLimits& limits) {
    if (text.embeds) return parse_embedding_request(text, limits);
    if ((text.messages.empty() || !text.prompt.empty()) && is_blank_text(text.prompt))
        throw Error(ErrorCode::empty_content, "the prompt is empty", "A prompt needs some text.");
    if (text.prompt.size() + text.system_prompt.size() > limits.max_content_bytes)
        throw Error(ErrorCode::content_too_long,
                    "the prompt is longer than " + std::to_string(limits.max_content_bytes) + " bytes");
    ChatRequest request;
    request.system_prompt = clean_text(text.system_prompt);
    request.response_format = parse_response_format(text.response_format, limits.max_nesting);
    request.options = parse_chat_options(text.options, limits.max_nesting);
    if (!text.messages.empty()) request.messages = parse_messages(text.messages, limits);
    if (!text.prompt.empty()) request.messages.push_back({Role::user, clean_text(text.prompt), {}, {}, {}});
    check_size(request, limits);
    check_images_have_a_place(request);
    return request;
}

}  // namespace pgchat
