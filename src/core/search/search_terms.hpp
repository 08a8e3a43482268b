// What a text is filed under: its words, in the form the language's dictionary gives them, and its n-grams, by which
// any part of it can be found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/search/folding.hpp"

namespace pgchat {

// The language's dictionary.
class WordForms {
public:
    virtual ~WordForms() = default;
    // The form that stands for all inflections of a word in lower case; empty: a word that is not filed. Valid until
    // the next call.
    virtual std::string_view form_of(std::string_view word) = 0;
};

// Each word is its own form.
class PlainForms final : public WordForms {
public:
    std::string_view form_of(std::string_view word) override { return word; }
};

// The number that stands for a form, or an n-gram.
std::uint32_t term_of(std::string_view form) noexcept;
std::uint32_t term_of(char32_t first, char32_t second, char32_t third) noexcept;
// The number that stands for two forms, by theirs, of which the second is so many words after the first.
std::uint32_t pair_term(std::uint32_t first, std::uint32_t second, std::size_t distance) noexcept;

// Where a word is: bytes of the text.
struct WordSpan {
    std::size_t begin;
    std::size_t end;
};

// Calls visit(word in lower case, span) for each word of UTF-8 text, in order; the word is valid during the call.
template <class Visit>
void for_each_word(std::string_view text, Visit&& visit) {
    std::string word;
    std::size_t begin = 0;
    const auto end_word = [&](std::size_t end) {
        if (!word.empty()) visit(std::string_view(word), WordSpan{begin, end});
        word.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t start = at;
        const char32_t character = next_character(text, at);
        const CharacterKind kind = kind_of(character);
        if (kind != CharacterKind::word) end_word(start);
        if (kind == CharacterKind::other) continue;
        if (word.empty()) begin = start;
        append_utf8(word, fold(character));
        if (kind == CharacterKind::alone) end_word(at);
    }
    end_word(text.size());
}

// Calls visit(term, length) for each n-gram: three characters, or fewer where the last of them is of a script without
// spaces, in which single characters and pairs are words: those two n-grams end there instead.
template <class Visit>
void for_each_gram(std::string_view text, Visit&& visit) {
    char32_t before_last = 0, last = 0;
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) {
        const char32_t character = fold(next_character(text, at));
        if (kind_of(character) == CharacterKind::alone) {
            visit(term_of(0, 0, character), 1);
            if (count >= 1) visit(term_of(0, last, character), 2);
        } else if (count >= 1 && kind_of(last) == CharacterKind::alone) {
            visit(term_of(0, last, character), 2);
        } else if (count >= 2) {
            visit(term_of(before_last, last, character), 3);
        }
        before_last = last;
        last = character;
    }
}

}  // namespace pgchat
