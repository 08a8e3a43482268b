// A response head, read line by line as libcurl hands it over; only what callers ask for is kept.
#pragma once

#include <string_view>

#include "core/http/transport.hpp"

namespace pgchat {

class HeadReader {
public:
    enum class State {
        reading,
        complete,   // the final (not 1xx) head has ended
        too_large,  // more than max_bytes of lines
        encoded,    // the body is compressed, which was not asked for
    };
    static constexpr std::size_t max_bytes = 64u << 10;

    // Forgets everything, keeping memory.
    void reset();
    // The next line, line end included. Trailers after the head are counted and otherwise ignored.
    State feed(std::string_view line);

    State state() const noexcept { return state_; }
    const HttpResponseHead& head() const noexcept { return head_; }

private:
    void begin(std::string_view status_line);
    void read_field(std::string_view line);

    HttpResponseHead head_;
    State state_ = State::reading;
    std::size_t bytes_ = 0;
    bool encoded_ = false;
};

}  // namespace pgchat
