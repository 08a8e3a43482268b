#include "core/llm/anthropic_decoder.hpp"

namespace pgchat {
namespace {

using Type = ondemand::json_type;

std::string_view finish_reason_named(std::string_view stop_reason) {
    if (stop_reason == "end_turn" || stop_reason == "stop_sequence") return "stop";
    if (stop_reason == "max_tokens" || stop_reason == "model_context_window_exceeded") return "length";
    if (stop_reason == "tool_use") return "tool_calls";
    if (stop_reason == "refusal") return "content_filter";
    return stop_reason;
}

template <typename T>
void update(std::optional<T>& known, const std::optional<T>& seen) {
    if (seen) known = seen;
}

}  // namespace

void AnthropicDecoder::extract(ondemand::object event) {
    type_ = model_ = stop_reason_ = partial_json_ = {};
    index_.reset();
    block_ = {};
    seen_ = {};
    for (auto field : event) extract_member(field.key(), field.value());
    if (type_ == "error") has_error_ = true;
    if (type_ == "content_block_start") add_block(block_, index_, false);
    if (type_ == "content_block_delta" && !partial_json_.empty() && index_ && index_ == open_tool_)
        fragments_.push_back({index_, {}, {}, partial_json_, false});
}

// A member of an event, or of the message that is one.
void AnthropicDecoder::extract_member(ondemand::raw_json_string key, ondemand::value value) {
    const Type type = value.type();
    if (key == "type") {
        type_ = json_text_or_empty(value);
    } else if (key == "index") {
        index_ = json_count(value);
    } else if (key == "delta") {
        if (type == Type::object) extract_delta(value.get_object());
    } else if (key == "content_block") {
        if (type == Type::object) block_ = read_block(value.get_object());
    } else if (key == "message") {
        if (type == Type::object) extract_message(value.get_object());
    } else if (key == "usage") {
        if (type == Type::object) extract_usage(value.get_object());
    } else if (key == "content") {
        if (type == Type::array) extract_content(value.get_array());
    } else if (key == "model") {
        model_ = json_text_or_empty(value);
    } else if (key == "stop_reason") {
        stop_reason_ = json_text_or_empty(value);
    } else if (key == "error") {
        has_error_ = type != Type::null;
    }
}

void AnthropicDecoder::extract_message(ondemand::object message) {
    for (auto field : message) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "model") model_ = json_text_or_empty(value);
        if (key == "usage" && value.type() == Type::object) extract_usage(value.get_object());
    }
}

void AnthropicDecoder::extract_content(ondemand::array blocks) {
    std::int64_t index = 0;
    for (auto block : blocks) add_block(read_block(block.get_object()), index++, true);
}

void AnthropicDecoder::extract_delta(ondemand::object delta) {
    for (auto field : delta) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "text") add_piece(false, json_text_or_empty(value));
        if (key == "thinking") add_piece(true, json_text_or_empty(value));
        if (key == "partial_json") partial_json_ = json_text_or_empty(value);
        if (key == "stop_reason") stop_reason_ = json_text_or_empty(value);
    }
}

AnthropicDecoder::Block AnthropicDecoder::read_block(ondemand::object object) const {
    Block block;
    for (auto field : object) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "type") block.type = json_text_or_empty(value);
        if (key == "id") block.id = json_text_or_empty(value);
        if (key == "name") block.name = json_text_or_empty(value);
        if (key == "text") block.text = json_text_or_empty(value);
        if (key == "thinking") block.thinking = json_text_or_empty(value);
        if (key == "input" && value.type() == Type::object) block.input = simdjson::to_json_string(value);
    }
    return block;
}

// The input of a streamed block is announced as {} and arrives in deltas.
void AnthropicDecoder::add_block(const Block& block, std::optional<std::int64_t> index, bool is_whole) {
    if (block.type == "text") add_piece(false, block.text);
    if (block.type == "thinking") add_piece(true, block.thinking);
    if (block.type == "tool_use")
        fragments_.push_back({index, block.id, block.name, is_whole ? block.input : std::string_view(), is_whole});
}

void AnthropicDecoder::extract_usage(ondemand::object usage) {
    for (auto field : usage) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "input_tokens") seen_.input = json_count(value);
        if (key == "cache_read_input_tokens") seen_.cache_read = json_count(value);
        if (key == "cache_creation_input_tokens") seen_.cache_write = json_count(value);
        if (key == "output_tokens") seen_.output = json_count(value);
    }
}

void AnthropicDecoder::apply() {
    set_model(model_);
    if (!stop_reason_.empty()) info_.finish_reason = finish_reason_named(stop_reason_);
    if (type_ == "message_stop") info_.ended = true;
    if (type_ == "content_block_start") open_tool_ = block_.type == "tool_use" ? index_ : std::nullopt;
    if (type_ == "message_delta" || type_ == "message_start" || type_ == "message") {
        update(tokens_.input, seen_.input);
        update(tokens_.cache_read, seen_.cache_read);
        update(tokens_.cache_write, seen_.cache_write);
        update(info_.usage.output_tokens, seen_.output);
        update(info_.usage.cached_tokens, seen_.cache_read);
        if (tokens_.input)
            info_.usage.input_tokens =
                *tokens_.input + tokens_.cache_read.value_or(0) + tokens_.cache_write.value_or(0);
    }
}

void AnthropicDecoder::conclude() {
    if (is_document() && !info_.finish_reason.empty()) info_.ended = true;
}

}  // namespace pgchat
