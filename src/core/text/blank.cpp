#include "core/text/blank.hpp"

#include <array>

namespace pgchat {
namespace {

constexpr std::string_view ascii_spaces = " \t\n\v\f\r";

// White_Space beyond ASCII, as UTF-8: U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000.
constexpr std::array<std::string_view, 19> wide_spaces{
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

// The bytes of the white space with which `text` begins; 0 where it begins with something else.
std::size_t leading_space(std::string_view text) noexcept {
    if (ascii_spaces.find(text.front()) != std::string_view::npos) return 1;
    for (const std::string_view space : wide_spaces)
        if (text.substr(0, space.size()) == space) return space.size();
    return 0;
}

}  // namespace

bool is_blank_text(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t space = leading_space(text);
        if (space == 0) return false;
        text.remove_prefix(space);
    }
    return true;
}

}  // namespace pgchat
