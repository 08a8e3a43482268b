// The scanning itself: balanced brackets, strings, escapes, words.
#include "json_scan.hpp"

#include <cstdint>
#include <cstring>

namespace mock::json {
namespace {

bool skip_string(std::string_view text, size_t& pos) {
    for (++pos; pos < text.size(); ++pos) {
        if (text[pos] == '"') {
            ++pos;
            return true;
        }
        if (text[pos] == '\\') ++pos;
    }
    return false;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The four hex digits at `pos`, or -1.
int32_t hex4(std::string_view raw, size_t pos) {
    if (pos + 4 > raw.size()) return -1;
    int32_t value = 0;
    for (size_t i = pos; i < pos + 4; ++i) {
        const int digit = hex_digit(raw[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

void append_utf8(std::string& out, uint32_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
        return;
    }
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
    out += static_cast<char>(kLead[tail] | (c >> (6 * tail)));
    for (int i = tail - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3f));
}

// Decodes the \u escape whose digits begin at `pos`; returns the position after it.
size_t append_unicode_escape(std::string& out, std::string_view raw, size_t pos) {
    const int32_t first = hex4(raw, pos);
    if (first < 0) return pos;
    pos += 4;
    if (first >= 0xd800 && first < 0xdc00 && raw.substr(pos, 2) == "\\u") {
        const int32_t second = hex4(raw, pos + 2);
        if (second >= 0xdc00 && second < 0xe000) {
            append_utf8(out, 0x10000u + ((first - 0xd800u) << 10) + (second - 0xdc00u));
            return pos + 6;
        }
    }
    append_utf8(out, static_cast<uint32_t>(first));
    return pos;
}

// The length of the valid UTF-8 sequence at `pos`, or 0.
size_t utf8_length(std::string_view s, size_t pos) {
    const auto byte = [&](size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
    const unsigned lead = byte(pos);
    if (lead < 0x80) return 1;
    const size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    for (size_t i = 1; i < length; ++i) {
        if ((byte(pos + i) & 0xc0) != 0x80) return 0;
    }
    const unsigned second = byte(pos + 1);
    const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                     (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
    return bad ? 0 : length;
}

void append_u_escape(std::string& out, unsigned value) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
}

}  // namespace

void skip_space(std::string_view text, size_t& pos) {
    while (pos < text.size() && (text[pos] == ' ' || text[pos] == '\n' || text[pos] == '\r' || text[pos] == '\t'))
        ++pos;
}

bool skip_value(std::string_view text, size_t& pos) {
    const size_t begin = pos;
    size_t depth = 0;
    while (pos < text.size()) {
        const char c = text[pos];
        if (c == '"') {
            if (!skip_string(text, pos)) return false;
        } else if (c == '{' || c == '[') {
            ++depth;
            ++pos;
        } else if (c == '}' || c == ']') {
            if (depth == 0) break;
            --depth;
            ++pos;
        } else if (depth == 0) {
            pos = text.find_first_of(",:]} \n\r\t", pos);
            if (pos == std::string_view::npos) pos = text.size();
        } else {
            ++pos;
        }
        if (depth == 0) break;
    }
    return depth == 0 && pos > begin;
}

std::string unescape(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (size_t pos = 0; pos < raw.size();) {
        const char c = raw[pos++];
        if (c != '\\' || pos == raw.size()) {
            out += c;
            continue;
        }
        const char escaped = raw[pos++];
        static constexpr char kFrom[] = "nrtbf";
        static constexpr char kTo[] = "\n\r\t\b\f";
        if (escaped == 'u') {
            pos = append_unicode_escape(out, raw, pos);
        } else if (const char* at = std::strchr(kFrom, escaped); at != nullptr) {
            out += kTo[at - kFrom];
        } else {
            out += escaped;
        }
    }
    return out;
}

void escape(std::string& out, std::string_view bytes) {
    for (size_t pos = 0; pos < bytes.size();) {
        const auto c = static_cast<unsigned char>(bytes[pos]);
        const size_t length = utf8_length(bytes, pos);
        if (length == 0) {
            append_u_escape(out, 0xdc00u + c);
        } else if (c < 0x20) {
            append_u_escape(out, c);
        } else if (c == '"' || c == '\\') {
            (out += '\\') += static_cast<char>(c);
        } else {
            out.append(bytes, pos, length);
        }
        pos += length == 0 ? 1 : length;
    }
}

size_t count_words(std::string_view raw) {
    size_t words = 0;
    bool in_word = false;
    for (size_t pos = 0; pos < raw.size(); ++pos) {
        const char c = raw[pos];
        bool space = c == ' ';
        if (c == '\\' && pos + 1 < raw.size()) {
            const char escaped = raw[++pos];
            space = escaped == 'n' || escaped == 't' || escaped == 'r' || escaped == 'f';
        }
        words += !space && !in_word;
        in_word = !space;
    }
    return words;
}

namespace detail {

int separator(std::string_view text, size_t& pos, char close) {
    skip_space(text, pos);
    if (pos >= text.size()) return -1;
    const char c = text[pos++];
    if (c == close) return 0;
    if (c != ',') return -1;
    skip_space(text, pos);
    return 1;
}

bool enter(std::string_view text, size_t& pos, char open, char close, bool& empty) {
    skip_space(text, pos);
    if (pos >= text.size() || text[pos] != open) return false;
    skip_space(text, ++pos);
    empty = pos < text.size() && text[pos] == close;
    return true;
}

}  // namespace detail
}  // namespace mock::json
