#include "core/llm/json_repair.hpp"

#include <optional>

#include "core/text/hex.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

// The value of "\uXXXX" at `at`; nullopt where there is no such escape.
std::optional<unsigned> unicode_escape(std::string_view text, std::size_t at) noexcept {
    if (text.size() - at < 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
        const int digit = hex_value(text[i]);
        if (digit < 0) return std::nullopt;
        value = value * 16 + static_cast<unsigned>(digit);
    }
    return value;
}

bool is_high_surrogate(unsigned unit) noexcept {
    return unit >= 0xD800 && unit <= 0xDBFF;
}

bool is_low_surrogate(unsigned unit) noexcept {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

struct Escape {
    std::size_t length;
    bool acceptable;
};

// The escape at `at`, where a backslash stands.
Escape escape_at(std::string_view text, std::size_t at) noexcept {
    const auto unit = unicode_escape(text, at);
    if (!unit) return {std::min<std::size_t>(2, text.size() - at), true};
    if (is_high_surrogate(*unit)) {
        const auto next = at + 6 < text.size() ? unicode_escape(text, at + 6) : std::nullopt;
        return next && is_low_surrogate(*next) ? Escape{12, true} : Escape{6, false};
    }
    return {6, *unit != 0 && !is_low_surrogate(*unit)};
}

}  // namespace

bool append_repaired_json(std::string& out, std::string_view json) {
    std::string clean;
    bool changed = append_clean_text(clean, json);
    const std::string_view text = clean;
    std::size_t kept_from = 0;
    for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
        const Escape escape = escape_at(text, at);
        if (!escape.acceptable) {
            out.append(text.substr(kept_from, at - kept_from)).append(replacement_character);
            kept_from = at + escape.length;
            changed = true;
        }
        at += escape.length;
    }
    out.append(text.substr(kept_from));
    return changed;
}

}  // namespace pgchat
