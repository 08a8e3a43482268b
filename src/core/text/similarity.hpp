// How alike texts are, told from their words alone: the same answer for the same texts everywhere, and in any language.
//
// A text is a vector with an entry for each term: 1 + ln(how often it has the term), times the weight of the term.
// - Words are compared in lower case and by their first five characters, so that most inflections of a word are one
//   term: cutting words off serves languages of many kinds (McNamee, Nicholas and Mayfield, Addressing Morphological
//   Variation in Alphabetic Languages, SIGIR 2009).
// - Of scripts without spaces, each two neighbouring characters are a term (Nie, Gao, Zhang and Zhou, On the Use of
//   Words and N-grams for Chinese Information Retrieval, IRAL 2000).
// - Frequent words are short in all languages (Zipf, The Psycho-Biology of Language, 1935), so short words weigh less,
//   and no list of stop words of one language is needed. Numbers weigh as much as long words.
// - The logarithm damps what a text repeats (Manning, Raghavan and Schütze, Introduction to Information Retrieval,
// 2008,
//   section 6.4.1).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pgchat {

class TermVector {
public:
    // Takes time in proportion to the text, of any bytes.
    explicit TermVector(std::string_view text);

    struct Entry {
        std::uint32_t term;
        double weight;  // above 0
    };
    // By term, each once.
    const std::vector<Entry>& entries() const noexcept { return entries_; }
    // Of the weights: their sum, and that of their squares.
    double sum() const noexcept { return sum_; }
    double squares() const noexcept { return squares_; }

private:
    std::vector<Entry> entries_;
    double sum_ = 0;
    double squares_ = 0;
};

// The cosine of two texts, 0 to 1: 1 where they have the same words equally often, 0 where they have none in common, or
// one has none at all.
double similarity(const TermVector& a, const TermVector& b) noexcept;

// How much of the shorter text's words the other has, too, 0 to 1, by their weights (the coefficient of Szymkiewicz and
// Simpson): unlike the cosine, it does not sink when a long text is compared with a short one.
double overlap(const TermVector& a, const TermVector& b) noexcept;

// The similarity of each text to each, row by row.
std::vector<double> similarities(const std::vector<TermVector>& texts);

}  // namespace pgchat
