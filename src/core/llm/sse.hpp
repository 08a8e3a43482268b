// Server-sent events from bytes: the framing alone, as the WHATWG HTML standard defines it (section 9.2.6).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgchat {

class SseHandler {
public:
    virtual ~SseHandler() = default;
    // One event; the views are valid during the call. `name` is empty where the event has none. `complete` is false
    // for what was pending when the body ended without the blank line that ends an event: it may be cut off.
    // Returning false ends the parsing.
    virtual bool on_event(std::string_view name, std::string_view data, bool complete) = 0;
};

// Parses incrementally; any split of the same bytes gives the same events. An event that lies whole in one feed is
// handed on without a copy.
class SseParser {
public:
    static constexpr std::size_t default_max_bytes = 1u << 20;

    // `max_bytes`: cap on one line, and on the data of one event.
    explicit SseParser(std::size_t max_bytes = default_max_bytes) : max_bytes_(max_bytes) {}

    // False once the handler returned false or the cap was exceeded.
    bool feed(std::string_view bytes, SseHandler& handler);
    // The body has ended: hands on what is pending.
    bool finish(SseHandler& handler);
    bool too_long() const noexcept { return too_long_; }
    // True once a line was a comment or a field of the grammar: what arrives is an event stream.
    bool recognised() const noexcept { return recognised_; }

private:
    std::string_view without_bom(std::string_view bytes);
    bool take_line(std::string_view line, SseHandler& handler);
    bool take_data(std::string_view value);
    void keep_data();
    bool dispatch(SseHandler& handler, bool complete);
    bool refuse();

    std::size_t max_bytes_;
    std::string line_;  // a line that the last feed left unfinished
    std::string name_;
    std::string_view view_;  // the event's data while it is a single line in place, in the current feed or line_
    std::string data_;       // the event's data otherwise
    bool has_data_ = false;
    bool view_is_foreign_ = false;  // the data is in view_
    bool skip_lf_ = false;          // the last line ended with CR
    std::size_t bom_matched_ = 0;
    bool too_long_ = false;
    bool stopped_ = false;
    bool recognised_ = false;
};

}  // namespace pgchat
