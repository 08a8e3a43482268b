// How characters are told apart and compared in searches: the same in every locale, so that what was filed is found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgchat {

enum class CharacterKind {
    other,  // between words
    word,   // a letter or digit: words are runs of them
    alone,  // of a script that is written without spaces (CJK, Thai, …), or an emoji: a word by itself
};

CharacterKind kind_of(char32_t character) noexcept;

// The lower case of Latin, Greek, Cyrillic, Armenian and full-width letters; others are what they are.
char32_t fold(char32_t character) noexcept;

// Reads the character at `at` of UTF-8 text and moves on; a byte that begins none stands for itself.
char32_t next_character(std::string_view text, std::size_t& at) noexcept;

void append_utf8(std::string& out, char32_t character);

// A text in lower case, and where its bytes come from.
struct FoldedText {
    std::string text;
    std::vector<std::uint32_t> origin;  // the offset in the original of each byte and of the end; empty: the same

    explicit FoldedText(std::string_view original);
    std::size_t original_offset(std::size_t offset) const noexcept { return origin.empty() ? offset : origin[offset]; }
};

}  // namespace pgchat
