// What somebody searches for, and whether a text has it. The query syntax is that of PostgreSQL's websearch_to_tsquery:
// words that must all occur, "phrases", or, and -exclusions; any text is a query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/search/search_terms.hpp"

namespace pgchat {

enum class SearchMode { words, substring };

// Words at these distances from the first: one word, or a phrase.
struct SearchPhrase {
    struct Word {
        std::size_t term;  // an index of SearchQuery::terms
        std::size_t distance;
    };
    std::vector<Word> words;
    bool excluded = false;
};

class SearchQuery {
public:
    static constexpr std::size_t max_terms = 32;

    // Throws Error content_too_long where there are more than max_terms different words.
    SearchQuery(std::string_view query, SearchMode mode, WordForms& forms);

    SearchMode mode() const noexcept { return mode_; }
    // Nothing can be found: the query has no word that is filed, or no character.
    bool is_empty() const noexcept { return mode_ == SearchMode::words ? alternatives_.empty() : needle_.empty(); }

    // Words: one of these must hold, with all its phrases. The terms are different.
    const std::vector<std::vector<SearchPhrase>>& alternatives() const noexcept { return alternatives_; }
    // Words: what they are filed under; substring: the n-grams that a text must have, at most eight of them.
    const std::vector<std::uint32_t>& terms() const noexcept { return terms_; }

    // Whether a text has what is searched for, and where: for words those of the alternatives that hold, in their
    // order.
    bool matches(std::string_view text, WordForms& forms, std::vector<WordSpan>& spans) const;

private:
    void parse_words(std::string_view query, WordForms& forms);
    void add_phrase(std::string_view text, bool excluded, WordForms& forms);
    std::size_t term_index(std::string_view form);
    bool matches_words(std::string_view text, WordForms& forms, std::vector<WordSpan>& spans) const;
    bool matches_needle(std::string_view text, std::vector<WordSpan>& spans) const;

    SearchMode mode_;
    std::vector<std::vector<SearchPhrase>> alternatives_;
    std::vector<std::uint32_t> terms_;
    std::vector<std::string> forms_;  // of the terms
    std::string needle_;              // in lower case
};

}  // namespace pgchat
