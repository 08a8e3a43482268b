#include "core/text/json_text.hpp"

namespace pgchat {
namespace {

constexpr char escape_letter(char c) noexcept {
    switch (c) {
        case '"':
            return '"';
        case '\\':
            return '\\';
        case '\b':
            return 'b';
        case '\f':
            return 'f';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        default:
            return '\0';
    }
}

constexpr bool needs_escape(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c) {
    out += '\\';
    if (const char letter = escape_letter(c); letter != '\0') {
        out += letter;
        return;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    out += "u00";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t written = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!needs_escape(text[at])) continue;
        out.append(text, written, at - written);
        append_escaped(out, text[at]);
        written = at + 1;
    }
    out.append(text, written, text.size() - written);
    out += '"';
}

}  // namespace pgchat
