#include "core/search/snippet.hpp"

#include <algorithm>

namespace pgchat {
namespace {

constexpr std::string_view ellipsis = "\xE2\x80\xA6";

bool is_continuation(char c) noexcept {
    return (c & 0xC0) == 0x80;
}

std::size_t forward(std::string_view text, std::size_t at, std::size_t characters) noexcept {
    for (; at < text.size() && characters > 0; --characters) do
            ++at;
        while (at < text.size() && is_continuation(text[at]));
    return at;
}

std::size_t back(std::string_view text, std::size_t at, std::size_t characters) noexcept {
    for (; at > 0 && characters > 0; --characters) do
            --at;
        while (at > 0 && is_continuation(text[at]));
    return at;
}

bool is_shown_blank(char c) noexcept {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
}

// The first span of those that are nearest together. Bytes stand for characters here, which is near enough.
std::size_t densest(const std::vector<WordSpan>& spans, std::size_t width) noexcept {
    std::size_t best = 0, most = 0, last = 0;
    for (std::size_t first = 0; first < spans.size(); ++first) {
        while (last < spans.size() && spans[last].end <= spans[first].begin + width) ++last;
        if (last > first && last - first > most) {
            most = last - first;
            best = first;
        }
    }
    return best;
}

WordSpan window_of(std::string_view text, const std::vector<WordSpan>& spans, std::size_t width) noexcept {
    const std::size_t anchor = spans.empty() ? 0 : spans[densest(spans, width * 3 / 4)].begin;
    WordSpan window{back(text, anchor, width / 4), 0};
    window.end = forward(text, window.begin, width);
    // At the end of the text the rest of the room goes to what is before.
    if (window.end == text.size()) window.begin = std::min(window.begin, back(text, text.size(), width));
    // Not within a word, where there is a blank near.
    for (std::size_t at = window.begin; window.begin > 0 && at < anchor && at < window.begin + 24; ++at)
        if (is_shown_blank(text[at])) {
            window.begin = at + 1;
            break;
        }
    for (std::size_t at = window.end; window.end < text.size() && at > window.begin && at + 24 > window.end; --at)
        if (is_shown_blank(text[at])) {
            window.end = at;
            break;
        }
    return window;
}

}  // namespace

std::string snippet_of(std::string_view text, const std::vector<WordSpan>& spans, const SnippetStyle& style) {
    const WordSpan window = window_of(text, spans, std::max<std::size_t>(style.max_characters, 1));
    std::string out(window.begin > 0 ? ellipsis : "");
    auto span = std::find_if(spans.begin(), spans.end(), [&](const WordSpan& s) { return s.begin >= window.begin; });
    bool marked = false, blank = true;
    for (std::size_t at = window.begin; at < window.end; ++at) {
        if (marked && at >= span->end) {
            out += style.stop_mark;
            marked = false;
            ++span;
        }
        if (!marked && span != spans.end() && at == span->begin) {
            out += style.start_mark;
            marked = true;
            blank = false;
        }
        if (!is_shown_blank(text[at]))
            out += text[at];
        else if (!blank)
            out += ' ';
        blank = is_shown_blank(text[at]);
    }
    if (marked) out += style.stop_mark;
    if (window.end < text.size()) out += ellipsis;
    return out;
}

}  // namespace pgchat
