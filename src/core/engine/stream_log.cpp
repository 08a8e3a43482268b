#include "core/engine/stream_log.hpp"

#include <algorithm>
#include <array>

namespace pgchat {

const char* event_kind_name(EventKind kind) noexcept {
    constexpr std::array names{"content",    "thinking",  "tool_calls", "done",
                               "incomplete", "cancelled", "error",      "snapshot"};
    return names[static_cast<std::size_t>(kind)];
}

bool is_terminal(EventKind kind) noexcept {
    return kind >= EventKind::done && kind <= EventKind::error;
}

std::string& StreamLog::buffer_of(EventKind kind) noexcept {
    if (kind == EventKind::content) return content_;
    return kind == EventKind::thinking ? thinking_ : closing_;
}

void StreamLog::add_mark(EventKind kind, std::size_t offset, std::size_t length) {
    do {
        const std::size_t part = std::min<std::size_t>(length, max_mark_length);
        marks_.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(part) & max_mark_length,
                          static_cast<std::uint32_t>(kind) & 15u});
        offset += part;
        length -= part;
    } while (length > 0);
}

void StreamLog::append(EventKind kind, std::string_view text) {
    if (kind != pending_kind_) {
        flush();
        pending_kind_ = kind;
    }
    buffer_of(kind).append(text);
    pending_ += text.size();
}

bool StreamLog::flush() {
    if (pending_ == 0) return false;
    add_mark(pending_kind_, buffer_of(pending_kind_).size() - pending_, pending_);
    pending_ = 0;
    return true;
}

void StreamLog::close(std::string_view tool_calls, EventKind terminal, std::string_view reason) {
    flush();
    if (!tool_calls.empty()) {
        closing_.append(tool_calls);
        add_mark(EventKind::tool_calls, 0, tool_calls.size());
    }
    closing_.append(reason);
    add_mark(terminal, tool_calls.size(), reason.size());
    closed_ = true;
}

std::size_t StreamLog::memory_size() const noexcept {
    return content_.capacity() + thinking_.capacity() + closing_.capacity() + marks_.capacity() * sizeof(Mark);
}

StreamEvent StreamLog::event(std::uint32_t index) const noexcept {
    const Mark& mark = marks_[index];
    const auto kind = static_cast<EventKind>(mark.kind);
    const std::string& buffer = const_cast<StreamLog*>(this)->buffer_of(kind);
    return {kind, std::string_view(buffer).substr(mark.offset, mark.length)};
}

}  // namespace pgchat
