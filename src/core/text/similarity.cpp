#include "core/text/similarity.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/search/search_terms.hpp"

namespace pgchat {
namespace {

constexpr std::size_t compared_characters = 5;

struct Counted {
    std::uint64_t count = 0;
    double weight = 1;
};

using TermCounts = std::unordered_map<std::uint32_t, Counted>;

void count(TermCounts& counts, std::uint32_t term, double weight) {
    Counted& counted = counts[term];
    ++counted.count;
    counted.weight = weight;
}

double weight_of(std::size_t characters, bool has_digit) noexcept {
    constexpr double short_words[] = {0, 0.1, 0.1, 0.25, 0.5};
    return has_digit || characters >= std::size(short_words) ? 1 : short_words[characters];
}

void count_word(TermCounts& counts, std::string_view word) {
    std::size_t at = 0, characters = 0;
    bool has_digit = false;
    while (at < word.size() && characters < compared_characters) {
        const char32_t character = next_character(word, at);
        has_digit = has_digit || (character >= U'0' && character <= U'9');
        ++characters;
    }
    count(counts, term_of(word.substr(0, at)), weight_of(characters, has_digit));
}

// Syllables of inflection and particles of Japanese are written in it, and nearly every text has all of them.
bool is_hiragana(char32_t character) noexcept {
    return character >= 0x3040 && character <= 0x309F;
}

// Takes the characters of a text in a script without spaces, one by one.
class PairCounter {
public:
    explicit PairCounter(TermCounts& counts) noexcept : counts_(counts) {}

    void add(char32_t character, WordSpan span) {
        if (span.begin != end_) end_run();
        if (last_ != 0) {
            count(counts_, term_of(0, last_, character), is_hiragana(last_) && is_hiragana(character) ? 0.1 : 1);
            has_pair_ = true;
        }
        last_ = character;
        end_ = span.end;
    }

    // A character without neighbours is a term itself.
    void end_run() {
        if (last_ != 0 && !has_pair_) count(counts_, term_of(0, 0, last_), is_hiragana(last_) ? 0.1 : 1);
        last_ = 0;
        has_pair_ = false;
    }

private:
    TermCounts& counts_;
    char32_t last_ = 0;
    bool has_pair_ = false;
    std::size_t end_ = 0;
};

// Calls visit(entry of a, entry of b) for each term that both have, in the order of the terms.
template <class Visit>
void for_each_shared(const TermVector& a, const TermVector& b, Visit&& visit) {
    auto left = a.entries().begin();
    auto right = b.entries().begin();
    while (left != a.entries().end() && right != b.entries().end()) {
        if (left->term < right->term) {
            ++left;
        } else if (right->term < left->term) {
            ++right;
        } else {
            visit(*left++, *right++);
        }
    }
}

}  // namespace

TermVector::TermVector(std::string_view text) {
    TermCounts counts;
    PairCounter pairs(counts);
    for_each_word(text, [&](std::string_view word, WordSpan span) {
        std::size_t at = 0;
        const char32_t first = next_character(word, at);
        if (kind_of(first) == CharacterKind::alone)
            pairs.add(first, span);
        else
            count_word(counts, word);
    });
    pairs.end_run();
    entries_.reserve(counts.size());
    for (const auto& [term, counted] : counts)
        entries_.push_back({term, counted.weight * (1 + std::log(static_cast<double>(counted.count)))});
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.term < b.term; });
    // In the order of the terms: sums of the same numbers in another order differ in their last digits.
    for (const Entry& entry : entries_) {
        sum_ += entry.weight;
        squares_ += entry.weight * entry.weight;
    }
}

double similarity(const TermVector& a, const TermVector& b) noexcept {
    double product = 0;
    for_each_shared(a, b, [&](const TermVector::Entry& left, const TermVector::Entry& right) {
        product += left.weight * right.weight;
    });
    return product == 0 ? 0 : std::min(1.0, product / std::sqrt(a.squares() * b.squares()));
}

double overlap(const TermVector& a, const TermVector& b) noexcept {
    double shared = 0;
    for_each_shared(a, b, [&](const TermVector::Entry& left, const TermVector::Entry& right) {
        shared += std::min(left.weight, right.weight);
    });
    return shared == 0 ? 0 : std::min(1.0, shared / std::min(a.sum(), b.sum()));
}

std::vector<double> similarities(const std::vector<TermVector>& texts) {
    const std::size_t size = texts.size();
    std::vector<double> result(size * size);
    for (std::size_t i = 0; i < size; ++i)
        for (std::size_t j = i; j < size; ++j)
            result[i * size + j] = result[j * size + i] = similarity(texts[i], texts[j]);
    return result;
}

}  // namespace pgchat
