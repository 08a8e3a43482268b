// The text of one reply and the numbered events it was delivered in, from which any reader can start at any point and
// see what every other reader saw.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgchat {

enum class EventKind : std::uint8_t { content, thinking, tool_calls, done, incomplete, cancelled, error, snapshot };

// The kind as SQL shows it; static storage.
const char* event_kind_name(EventKind kind) noexcept;

// Whether the kind is the last of its stream.
bool is_terminal(EventKind kind) noexcept;

struct StreamEvent {
    EventKind kind;
    std::string_view text;
};

class StreamLog {
public:
    // Adds text that no event holds yet; kind is content or thinking. A change of kind seals what was pending.
    void append(EventKind kind, std::string_view text);
    // Makes one event of the pending text. False when there was none.
    bool flush();
    // Flushes, then adds the tool calls (where there are some) and the terminal event. Nothing may follow.
    void close(std::string_view tool_calls, EventKind terminal, std::string_view reason);

    bool has_pending() const noexcept { return pending_ > 0; }
    bool closed() const noexcept { return closed_; }
    // Number of events; event i (from 0) has seq i + 1.
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(marks_.size()); }
    StreamEvent event(std::uint32_t index) const noexcept;

    // Bytes that the log holds on to.
    std::size_t memory_size() const noexcept;
    // All text so far, flushed or not.
    const std::string& content() const noexcept { return content_; }
    const std::string& thinking() const noexcept { return thinking_; }

private:
    struct Mark {
        std::uint32_t offset;
        std::uint32_t length : 28;
        std::uint32_t kind : 4;
    };
    static constexpr std::uint32_t max_mark_length = (1u << 28) - 1;

    std::string& buffer_of(EventKind kind) noexcept;
    void add_mark(EventKind kind, std::size_t offset, std::size_t length);

    std::string content_;
    std::string thinking_;
    std::string closing_;  // texts of tool_calls and of the terminal event
    std::vector<Mark> marks_;
    std::size_t pending_ = 0;  // bytes at the end of pending_kind_'s buffer
    EventKind pending_kind_ = EventKind::content;
    bool closed_ = false;
};

}  // namespace pgchat
