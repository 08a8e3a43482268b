#include "core/search/search_terms.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace pgchat {
namespace {

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for_each_word(text, [&](std::string_view word, WordSpan) { words.emplace_back(word); });
    return words;
}

std::set<std::uint32_t> grams_of(std::string_view text) {
    std::set<std::uint32_t> grams;
    for_each_gram(text, [&](std::uint32_t term, std::size_t) { grams.insert(term); });
    return grams;
}

TEST(SearchTerms, WordsAreRunsOfLettersInLowerCase) {
    EXPECT_EQ(words_of("The load_users(x1), Ünïcode\tGRÜßE-Привет ΑΒΓς"),
              (std::vector<std::string>{"the", "load", "users", "x1", "ünïcode", "grüße", "привет", "αβγσ"}));
    EXPECT_EQ(words_of("a数据b。😀ｘＹ"), (std::vector<std::string>{"a", "数", "据", "b", "😀", "ｘｙ"}));
    EXPECT_TRUE(words_of(" .,;!\n\xE2\x80\x94").empty());
    EXPECT_TRUE(words_of("").empty());
}

TEST(SearchTerms, SpansAreTheWordsBytes) {
    const std::string text = "so GRÜßE, 数";
    std::vector<std::string> spans;
    for_each_word(text, [&](std::string_view, WordSpan s) { spans.push_back(text.substr(s.begin, s.end - s.begin)); });
    EXPECT_EQ(spans, (std::vector<std::string>{"so", "GRÜßE", "数"}));
}

TEST(SearchTerms, EveryPartOfATextHasOnlyNGramsOfIt) {
    const std::string text = "if (aB数据 != ü\xC3\x9F) 库x;";
    const std::set<std::uint32_t> all = grams_of(text);
    for (std::size_t begin = 0; begin < text.size(); ++begin)
        for (std::size_t size = 1; begin + size <= text.size(); ++size) {
            const auto splits = [&](std::size_t at) { return at < text.size() && (text[at] & 0xC0) == 0x80; };
            if (splits(begin) || splits(begin + size)) continue;
            for (const std::uint32_t gram : grams_of(text.substr(begin, size))) EXPECT_TRUE(all.contains(gram));
        }
}

TEST(SearchTerms, CaseMakesNoDifference) {
    EXPECT_EQ(grams_of("HELLO ÄÖ Жа"), grams_of("hello äö жА"));
    EXPECT_NE(grams_of("hello"), grams_of("hellp"));
}

TEST(SearchTerms, BytesThatAreNoTextHarmNobody) {
    EXPECT_NO_THROW(words_of("\xFF\xC3 a\xE2\x82"));
    EXPECT_NO_THROW(grams_of(std::string("\0\xF0\x9F a\xE2\x82", 8)));
    EXPECT_EQ(FoldedText("\xC3").text.empty(), false);
}

TEST(SearchTerms, FoldedTextKnowsWhereItCameFrom) {
    const FoldedText folded("İX");  // the first is two bytes, and one when folded
    EXPECT_EQ(folded.text, "ix");
    EXPECT_EQ(folded.original_offset(0), 0U);
    EXPECT_EQ(folded.original_offset(1), 2U);
    EXPECT_EQ(folded.original_offset(2), 3U);
}

}  // namespace
}  // namespace pgchat
