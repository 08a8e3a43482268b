#include "core/text/utf8.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace pgchat {
namespace {

enum class Sequence { valid, invalid, incomplete };

struct Step {
    Sequence kind;
    std::size_t length;  // of the sequence, or of its maximal subpart
};

struct Lead {
    std::size_t length;  // 0: this byte starts nothing
    unsigned char low;   // bounds of the second byte
    unsigned char high;
};

// The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences".
Lead lead_of(unsigned char byte) noexcept {
    if (byte < 0x80) return {1, 0, 0};
    if (byte < 0xC2) return {0, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte < 0xF4) return {4, 0x80, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

// Reads the sequence at the start of `text`, which is not empty.
Step step(std::string_view text) noexcept {
    const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
    if (lead.length == 0) return {Sequence::invalid, 1};
    for (std::size_t i = 1; i < lead.length; ++i) {
        if (i == text.size()) return {Sequence::incomplete, i};
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool fits = i == 1 ? byte >= lead.low && byte <= lead.high : (byte & 0xC0) == 0x80;
        if (!fits) return {Sequence::invalid, i};
    }
    return {Sequence::valid, lead.length};
}

// How many bytes at the end of `text` may be the start of a sequence that goes on.
std::size_t incomplete_tail(std::string_view text) noexcept {
    const std::size_t most = std::min<std::size_t>(3, text.size());
    for (std::size_t length = 1; length <= most; ++length) {
        const std::string_view tail = text.substr(text.size() - length);
        if ((static_cast<unsigned char>(tail[0]) & 0xC0) == 0x80) continue;
        const Step found = step(tail);
        return found.kind == Sequence::incomplete && found.length == length ? length : 0;
    }
    return 0;
}

}  // namespace

bool is_clean_text(std::string_view text) noexcept {
    if (text.empty()) return true;
    return std::memchr(text.data(), 0, text.size()) == nullptr && simdjson::validate_utf8(text);
}

bool append_clean_text(std::string& out, std::string_view text) {
    if (is_clean_text(text)) {
        out.append(text);
        return false;
    }
    for (std::size_t at = 0; at < text.size();) {
        const Step found = step(text.substr(at));
        if (found.kind == Sequence::valid && text[at] != '\0')
            out.append(text.substr(at, found.length));
        else
            out.append(replacement_character);
        at += found.length;
    }
    return true;
}

std::string clean_text(std::string_view text) {
    std::string out;
    append_clean_text(out, text);
    return out;
}

std::string_view truncate_text(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes) return text;
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

std::size_t character_count(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view Utf8Sanitizer::feed(std::string_view bytes) {
    if (!held_.empty()) {
        joined_.assign(held_).append(bytes);
        held_.clear();
        bytes = joined_;
    }
    const std::size_t tail = incomplete_tail(bytes);
    held_.assign(bytes.substr(bytes.size() - tail));
    bytes.remove_suffix(tail);
    if (is_clean_text(bytes)) return bytes;
    out_.clear();
    replaced_ |= append_clean_text(out_, bytes);
    return out_;
}

std::string_view Utf8Sanitizer::finish() {
    out_.clear();
    if (!held_.empty()) replaced_ |= append_clean_text(out_, held_);
    held_.clear();
    return out_;
}

}  // namespace pgchat
