#include "core/llm/event_decoder.hpp"

#include "core/llm/provider_error.hpp"

namespace pgchat {

bool EventDecoder::fail(Error error) {
    info_.ended = false;
    info_.error.emplace(std::move(error));
    return false;
}

void EventDecoder::add_piece(bool is_thinking, std::string_view text) {
    if (!text.empty()) pieces_.push_back({is_thinking, text});
}

void EventDecoder::set_model(std::string_view model) {
    if (!model.empty() && info_.model != model) info_.model = model;
}

bool EventDecoder::decode_event(std::string_view json, ReplySink& sink, bool may_be_cut) {
    const auto outcome = JsonReader::for_this_thread().read(json, [this](ondemand::object event) {
        pieces_.clear();
        fragments_.clear();
        has_error_ = false;
        extract(event);
    });
    if (outcome == JsonReader::Outcome::unreadable) return may_be_cut || fail(unreadable_reply_error(json));
    if (outcome == JsonReader::Outcome::repaired) info_.sanitized = true;
    read_any_ = true;
    if (has_error_) return fail(provider_reply_error(json));
    for (const Piece& piece : pieces_) piece.is_thinking ? sink.on_thinking(piece.text) : sink.on_content(piece.text);
    for (const ToolCallFragment& fragment : fragments_)
        if (!calls_.add(fragment))
            return fail(Error(ErrorCode::provider_bad_response, "the reply has too many tool calls"));
    apply();
    return true;
}

void EventDecoder::assemble_tool_calls() {
    info_.tool_calls = calls_.assembled(info_.sanitized);
}

}  // namespace pgchat
