// Status line and the three header fields that matter (RFC 9110, RFC 9112 section 4).
#include "core/http/head_reader.hpp"

#include <algorithm>
#include <charconv>

#include "core/text/ascii.hpp"

namespace pgchat {

void HeadReader::reset() {
    head_.status = 0;
    head_.content_type.clear();
    head_.retry_after.clear();
    state_ = State::reading;
    bytes_ = 0;
    encoded_ = false;
}

void HeadReader::begin(std::string_view status_line) {
    const std::size_t bytes = bytes_;
    reset();
    bytes_ = bytes;
    const std::size_t space = status_line.find(' ');
    if (space == std::string_view::npos) return;
    const std::string_view digits = trimmed(status_line.substr(space));
    std::from_chars(digits.data(), digits.data() + digits.size(), head_.status);
}

void HeadReader::read_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "content-type")) {
        head_.content_type.assign(value);
        std::transform(value.begin(), value.end(), head_.content_type.begin(), ascii_lower);
    } else if (equal_ignoring_case(name, "retry-after")) {
        head_.retry_after.assign(value);
    } else if (equal_ignoring_case(name, "content-encoding")) {
        encoded_ = encoded_ || !equal_ignoring_case(value, "identity");
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
        encoded_ = encoded_ || !(equal_ignoring_case(value, "chunked") || equal_ignoring_case(value, "identity"));
    }
}

HeadReader::State HeadReader::feed(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > max_bytes) return state_ = State::too_large;
    if (state_ != State::reading) return state_;
    if (line.starts_with("HTTP/"))
        begin(line);
    else if (!trimmed(line).empty())
        read_field(line);
    else if (head_.status >= 200)
        state_ = encoded_ ? State::encoded : State::complete;
    return state_;
}

}  // namespace pgchat
