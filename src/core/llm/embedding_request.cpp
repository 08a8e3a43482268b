#include "core/llm/embedding_request.hpp"

#include "core/llm/extra_members.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"
#include "core/text/blank.hpp"

namespace pgchat {
namespace {

ChatOptions parse_options(std::string_view text, int max_nesting) {
    const JsonField field(ErrorCode::malformed_options, "options");
    ChatOptions options;
    if (text.empty()) return options;
    Json document;
    try {
        document = parse_json(text, max_nesting);
    } catch (const JsonError& error) {
        field.fail(error.what());
    }
    for (const auto& [name, value] : field.object(document).items()) {
        if (name == "dimensions") {
            if (!value.is_null()) options.dimensions = field.member(name).positive_integer(value);
        } else if (name == "extra") {
            if (!value.is_null()) options.extra = extra_members(value, field.member(name));
        } else {
            field.fail("not an option of embeddings", "Known options: dimensions, extra.");
        }
    }
    return options;
}

}  // namespace

ChatRequest parse_embedding_request(const ChatRequestText& text, const ChatRequestLimits& limits) {
    ChatRequest request;
    request.embeds = true;
    request.options = parse_options(text.options, limits.max_nesting);
    const JsonField field(ErrorCode::malformed_messages, "inputs");
    Json inputs;
    try {
        inputs = parse_json(text.messages, limits.max_nesting);
    } catch (const JsonError& error) {
        field.fail(error.what());
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < field.array(inputs).size(); ++i) {
        const std::string& input = field.at(i).text(inputs[i]);
        if (is_blank_text(input))
            throw Error(ErrorCode::empty_content, "a text to embed is empty", "It needs some text.");
        bytes += input.size();
        request.messages.push_back({Role::user, input, {}, {}, {}});
    }
    if (bytes > limits.max_content_bytes)
        throw Error(ErrorCode::content_too_long, "the texts to embed are longer than " +
                                                     std::to_string(limits.max_content_bytes) + " bytes together");
    return request;
}

void check_embedding_options(std::string_view options, int max_nesting) {
    parse_options(options, max_nesting);
}

Json embedding_inputs(const ChatRequest& request) {
    Json inputs = Json::array();
    for (const ChatMessage& message : request.messages) inputs.push_back(message.content);
    return inputs;
}

}  // namespace pgchat
