#include "core/llm/sse_reply_decoder.hpp"

#include <algorithm>

#include "core/llm/provider_error.hpp"

namespace pgchat {
namespace {

constexpr std::size_t head_bytes = 200;

}  // namespace

bool SseReplyDecoder::feed(std::string_view bytes, ReplySink& sink) {
    if (info_.error) return false;
    if (form_ == Form::unknown) {
        bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
        if (bytes.empty()) return true;
        // No line of an event stream begins like this.
        form_ = bytes[0] == '{' || bytes[0] == '[' ? Form::document : Form::events;
    }
    if (form_ == Form::document) {
        document_.append(bytes);
        return true;
    }
    if (head_.size() < head_bytes) head_.append(bytes.substr(0, head_bytes - head_.size()));
    sink_ = &sink;
    return feed_events(bytes);
}

bool SseReplyDecoder::feed_events(std::string_view bytes) {
    if (parser_.feed(bytes, *this)) return true;
    return info_.error ? false : fail(oversized_event_error());
}

void SseReplyDecoder::finish(ReplySink& sink) {
    if (info_.error) return;
    sink_ = &sink;
    if (form_ == Form::document)
        decode_event(document_, sink, false);
    else
        finish_events();
    if (!info_.error) conclude();
    assemble_tool_calls();
}

void SseReplyDecoder::finish_events() {
    parser_.finish(*this);
    if (parser_.too_long() && !info_.error) fail(oversized_event_error());
    if (!info_.error && !parser_.recognised()) fail(unreadable_reply_error(head_));
}

bool SseReplyDecoder::on_event(std::string_view, std::string_view data, bool complete) {
    if (data.empty() || take_marker(data)) return true;
    return decode_event(data, *sink_, !complete);
}

}  // namespace pgchat
