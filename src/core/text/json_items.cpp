#include "core/text/json_items.hpp"

#include <algorithm>

namespace pgchat {
namespace {

constexpr std::string_view space = " \t\r\n";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Behind the string that begins at `at`; the end where it is not closed.
std::size_t end_of_string(std::string_view text, std::size_t at) noexcept {
    for (at = text.find_first_of("\"\\", at + 1); at < text.size(); at = text.find_first_of("\"\\", at)) {
        if (text[at] == '"') return at + 1;
        at += 2;
    }
    return text.size();
}

}  // namespace

JsonItems::JsonItems(std::string_view document) noexcept : document_(document) {
    if (document_.starts_with(byte_order_mark)) document_.remove_prefix(byte_order_mark.size());
}

std::optional<std::string_view> JsonItems::next() noexcept {
    while (true) {
        skip_space();
        if (at_ == document_.size()) return std::nullopt;
        if (in_array_) {
            const std::string_view element = take_element();
            const bool is_last = at_ == document_.size() || document_[at_] == ']';
            if (at_ < document_.size()) ++at_;
            in_array_ = !is_last;
            return element;
        }
        if (document_[at_] != '[') return take_value();
        ++at_;
        skip_space();
        in_array_ = at_ < document_.size() && document_[at_] != ']';
        if (!in_array_ && at_ < document_.size()) ++at_;
    }
}

void JsonItems::skip_space() noexcept {
    at_ = std::min(document_.find_first_not_of(space, at_), document_.size());
}

// One value that stands by itself, up to its last bracket, or to the next space.
std::string_view JsonItems::take_value() noexcept {
    const std::size_t begin = at_;
    std::size_t depth = 0;
    while (at_ < document_.size()) {
        const char c = document_[at_];
        if (c == '"') {
            at_ = end_of_string(document_, at_);
        } else {
            ++at_;
            if (c == '{' || c == '[') ++depth;
            if ((c == '}' || c == ']') && depth > 0) --depth;
            if (depth == 0 && (c == '}' || c == ']')) break;
        }
        if (depth == 0 && at_ < document_.size() && space.find(document_[at_]) != std::string_view::npos) break;
    }
    return document_.substr(begin, at_ - begin);
}

// Up to the comma or bracket that ends an element, where it is left.
std::string_view JsonItems::take_element() noexcept {
    const std::size_t begin = at_;
    std::size_t depth = 0;
    for (at_ = document_.find_first_of("\"{}[],", at_); at_ < document_.size();
         at_ = document_.find_first_of("\"{}[],", at_)) {
        const char c = document_[at_];
        if (c == '"') {
            at_ = end_of_string(document_, at_);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']')) break;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && depth > 0) --depth;
        ++at_;
    }
    at_ = std::min(at_, document_.size());
    const std::string_view element = document_.substr(begin, at_ - begin);
    const std::size_t last = element.find_last_not_of(space);
    return element.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace pgchat
