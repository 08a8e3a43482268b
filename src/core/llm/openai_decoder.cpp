#include "core/llm/openai_decoder.hpp"

#include "core/llm/tool_call_reader.hpp"

namespace pgchat {
namespace {

using Type = ondemand::json_type;

}  // namespace

void OpenaiDecoder::extract(ondemand::object event) {
    model_ = finish_reason_ = {};
    usage_ = {};
    for (auto field : event) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "choices") {
            if (value.type() != Type::array) continue;
            for (auto choice : value.get_array()) extract_choice(choice.get_object());
        } else if (key == "model") {
            model_ = json_text_or_empty(value);
        } else if (key == "usage") {
            if (value.type() == Type::object) extract_usage(value.get_object());
        } else if (key == "error") {
            has_error_ = value.type() != Type::null;
        }
    }
}

void OpenaiDecoder::extract_choice(ondemand::object choice) {
    const std::size_t pieces_before = pieces_.size();
    const std::size_t fragments_before = fragments_.size();
    const std::string_view reason_before = finish_reason_;
    bool is_first = true;
    for (auto field : choice) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "delta" || key == "message") {
            if (value.type() == Type::object) extract_delta(value.get_object());
        } else if (key == "finish_reason") {
            finish_reason_ = json_text_or_empty(value);
        } else if (key == "index") {
            is_first = json_count(value).value_or(0) == 0;
        }
    }
    if (is_first) return;
    pieces_.resize(pieces_before);
    fragments_.resize(fragments_before);
    finish_reason_ = reason_before;
}

void OpenaiDecoder::extract_delta(ondemand::object object) {
    Delta delta;
    const std::size_t content_at = pieces_.size();
    for (auto field : object) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "content") {
            if (value.type() == Type::array)
                extract_content_parts(value.get_array());
            else if (value.type() != Type::null)
                delta.content = json_text(value);
        } else if (key == "reasoning_content") {
            delta.reasoning = json_text_or_empty(value);
        } else if (key == "reasoning") {
            // Some servers send both names with the same text.
            if (delta.reasoning.empty()) delta.reasoning = json_text_or_empty(value);
        } else if (key == "refusal") {
            delta.refusal = json_text_or_empty(value);
        } else if (key == "tool_calls") {
            if (value.type() == Type::array) extract_tool_calls(value.get_array());
        }
    }
    if (!delta.reasoning.empty())
        pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(content_at), {true, delta.reasoning});
    add_piece(false, delta.content);
    add_piece(false, delta.refusal);
}

// Content as parts: {"type":"text","text":…}, and {"type":"thinking","thinking":[text parts]} of some models.
void OpenaiDecoder::extract_content_parts(ondemand::array parts) {
    for (auto part : parts) {
        ondemand::value element = part.value();
        if (element.type() != Type::object) continue;
        for (auto field : element.get_object()) {
            const ondemand::raw_json_string key = field.key();
            ondemand::value value = field.value();
            if (key == "text") add_piece(false, json_text_or_empty(value));
            if (key != "thinking" || value.type() != Type::array) continue;
            for (auto inner : value.get_array()) {
                ondemand::value text;
                if (!inner["text"].get(text)) add_piece(true, json_text_or_empty(text));
            }
        }
    }
}

void OpenaiDecoder::extract_tool_calls(ondemand::array calls) {
    for (auto call : calls) fragments_.push_back(read_tool_call(call.get_object()));
}

void OpenaiDecoder::extract_usage(ondemand::object usage) {
    for (auto field : usage) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "prompt_tokens") {
            usage_.input_tokens = json_count(value);
        } else if (key == "completion_tokens") {
            usage_.output_tokens = json_count(value);
        } else if (key == "prompt_tokens_details" && value.type() == Type::object) {
            for (auto detail : value.get_object())
                if (detail.key() == "cached_tokens") usage_.cached_tokens = json_count(detail.value());
        }
    }
}

void OpenaiDecoder::apply() {
    set_model(model_);
    if (!finish_reason_.empty()) info_.finish_reason = finish_reason_;
    if (usage_.input_tokens) info_.usage.input_tokens = usage_.input_tokens;
    if (usage_.output_tokens) info_.usage.output_tokens = usage_.output_tokens;
    if (usage_.cached_tokens) info_.usage.cached_tokens = usage_.cached_tokens;
}

bool OpenaiDecoder::take_marker(std::string_view data) {
    if (data == "[DONE]") info_.ended = done_ = true;
    return done_;
}

void OpenaiDecoder::conclude() {
    if (!info_.finish_reason.empty()) info_.ended = true;
}

}  // namespace pgchat
