// Newline-delimited JSON from bytes: the framing alone (https://github.com/ndjson/ndjson-spec).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgchat {

class NdjsonHandler {
public:
    virtual ~NdjsonHandler() = default;
    // One line that is not blank, without its end; valid during the call. `complete` is false for a last line that
    // no LF ended: it may be cut off. Returning false ends the parsing.
    virtual bool on_line(std::string_view line, bool complete) = 0;
};

// Parses incrementally; any split of the same bytes gives the same lines. A line that lies whole in one feed is
// handed on without a copy.
class NdjsonParser {
public:
    static constexpr std::size_t default_max_bytes = 1u << 20;

    // `max_bytes`: cap on one line.
    explicit NdjsonParser(std::size_t max_bytes = default_max_bytes) : max_bytes_(max_bytes) {}

    // False once the handler returned false or the cap was exceeded.
    bool feed(std::string_view bytes, NdjsonHandler& handler);
    // The body has ended: hands on a last line without an end.
    bool finish(NdjsonHandler& handler);
    bool too_long() const noexcept { return too_long_; }

private:
    bool take_line(std::string_view line, bool complete, NdjsonHandler& handler);

    std::size_t max_bytes_;
    std::string line_;  // what the last feed left unfinished
    bool too_long_ = false;
    bool stopped_ = false;
};

}  // namespace pgchat
