// Characters of ASCII, and texts compared and trimmed by them: <cctype> follows the locale, which a database chooses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace pgchat {

constexpr bool is_ascii_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// True for C0 control characters and DEL.
constexpr bool is_ascii_control(char c) noexcept {
    return (c >= 0 && c < 0x20) || c == 0x7F;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

// `text` without what it begins and ends with of `set`.
constexpr std::string_view trimmed(std::string_view text, std::string_view set = " \t\r\n") noexcept {
    const std::size_t begin = text.find_first_not_of(set);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(set) - begin + 1);
}

}  // namespace pgchat
