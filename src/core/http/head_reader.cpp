// Status line and the three header fields that matter (RFC 9110, RFC 9112 section 4).
#include "core/http/head_reader.hpp"

#include <algorithm>
#include <charconv>

namespace pgchat {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
    return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                      [](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

}  // namespace

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
        std::transform(value.begin(), value.end(), head_.content_type.begin(), lower);
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
