// The part of a message that shows why it was found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/search/search_terms.hpp"

namespace pgchat {

struct SnippetStyle {
    std::string_view start_mark;
    std::string_view stop_mark;
    std::size_t max_characters;
};

// Where the most of `spans` (in order, not overlapping) are within max_characters of the text, each between the marks.
// Blanks and control characters are one space, so that a control character as a mark is found nowhere else; U+2026
// stands for what was cut off. Nothing is escaped.
std::string snippet_of(std::string_view text, const std::vector<WordSpan>& spans, const SnippetStyle& style);

}  // namespace pgchat
