// Hexadecimal digits in and out, for identifiers, keys and signatures, which each would write otherwise.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

inline constexpr char hex_digits[] = "0123456789abcdef";

// The value of one digit, of either case; -1 for any other character.
constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Writes the two lower case digits of `byte` to `to`; gives the place behind them.
constexpr char* write_hex(unsigned char byte, char* to) noexcept {
    *to++ = hex_digits[byte >> 4];
    *to++ = hex_digits[byte & 15];
    return to;
}

// `bytes` in lower case, two digits each.
std::string hex_of(std::string_view bytes);

}  // namespace pgchat
