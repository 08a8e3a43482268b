#include "core/llm/ollama_decoder.hpp"

#include "core/llm/provider_error.hpp"
#include "core/llm/tool_call_reader.hpp"

namespace pgchat {
namespace {

using Type = ondemand::json_type;

}  // namespace

bool OllamaDecoder::feed(std::string_view bytes, ReplySink& sink) {
    if (info_.error) return false;
    if (!stream_) {
        document_.append(bytes);
        return true;
    }
    sink_ = &sink;
    if (parser_.feed(bytes, *this)) return true;
    return info_.error ? false : fail(oversized_event_error());
}

void OllamaDecoder::finish(ReplySink& sink) {
    if (info_.error) return;
    sink_ = &sink;
    if (stream_)
        parser_.finish(*this);
    else
        decode_event(document_, sink, false);
    if (!info_.error && !read_any_) fail(unreadable_reply_error({}));
    if (!calls_.empty() && info_.finish_reason == "stop") info_.finish_reason = "tool_calls";
    assemble_tool_calls();
}

// A last line that is cut off is the mark of a broken reply, but a body that is one such line is none at all.
bool OllamaDecoder::on_line(std::string_view line, bool complete) {
    return info_.ended || decode_event(line, *sink_, !complete && read_any_);
}

void OllamaDecoder::extract(ondemand::object event) {
    model_ = done_reason_ = {};
    done_ = false;
    input_tokens_.reset();
    output_tokens_.reset();
    for (auto field : event) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        const Type type = value.type();
        if (key == "message") {
            if (type == Type::object) extract_message(value.get_object());
        } else if (key == "model") {
            model_ = json_text_or_empty(value);
        } else if (key == "done") {
            done_ = type == Type::boolean && value.get_bool();
        } else if (key == "done_reason") {
            done_reason_ = json_text_or_empty(value);
        } else if (key == "prompt_eval_count") {
            input_tokens_ = json_count(value);
        } else if (key == "eval_count") {
            output_tokens_ = json_count(value);
        } else if (key == "error") {
            has_error_ = type != Type::null;
        }
    }
}

void OllamaDecoder::extract_message(ondemand::object message) {
    for (auto field : message) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        if (key == "content") {
            add_piece(false, json_text_or_empty(value));
        } else if (key == "thinking") {
            add_piece(true, json_text_or_empty(value));
        } else if (key == "tool_calls" && value.type() == Type::array) {
            // Each call arrives whole, and none says which it is.
            for (auto call : value.get_array()) {
                ToolCallFragment fragment = read_tool_call(call.get_object());
                fragment.index = tool_calls_seen_ + static_cast<std::int64_t>(fragments_.size());
                fragments_.push_back(fragment);
            }
        }
    }
}

void OllamaDecoder::apply() {
    tool_calls_seen_ += static_cast<std::int64_t>(fragments_.size());
    set_model(model_);
    if (!done_reason_.empty()) info_.finish_reason = done_reason_;
    if (input_tokens_) info_.usage.input_tokens = input_tokens_;
    if (output_tokens_) info_.usage.output_tokens = output_tokens_;
    if (done_) info_.ended = true;
}

}  // namespace pgchat
