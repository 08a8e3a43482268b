#include "core/search/search_query.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/search/snippet.hpp"

namespace pgchat {
namespace {

// "The" is filed under nothing; a final s is cut off.
class TestForms final : public WordForms {
public:
    std::string_view form_of(std::string_view word) override {
        if (word == "the") return {};
        return word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
    }
};

bool finds(std::string_view query, std::string_view text, SearchMode mode = SearchMode::words) {
    TestForms forms;
    std::vector<WordSpan> spans;
    return SearchQuery(query, mode, forms).matches(text, forms, spans);
}

std::string snippet_shown(std::string_view query, std::string_view text, std::size_t length,
                          SearchMode mode = SearchMode::words) {
    TestForms forms;
    std::vector<WordSpan> spans;
    if (!SearchQuery(query, mode, forms).matches(text, forms, spans)) return "no match";
    return snippet_of(text, spans, {"<", ">", length});
}

TEST(SearchQuery, AllWordsInAnyFormAndOrder) {
    EXPECT_TRUE(finds("cats dog", "Dogs and a CAT"));
    EXPECT_FALSE(finds("cats dog", "dogs"));
    EXPECT_TRUE(finds("the cat", "cat"));
}

TEST(SearchQuery, PhrasesOrAndExclusions) {
    EXPECT_TRUE(finds("\"red cat\"", "a red, cat"));
    EXPECT_FALSE(finds("\"red cat\"", "a cat red"));
    EXPECT_TRUE(finds("\"feed the cat\"", "feed a cat"));
    EXPECT_FALSE(finds("\"feed the cat\"", "feed cat"));
    EXPECT_TRUE(finds("bird or cat dog", "bird"));
    EXPECT_TRUE(finds("bird OR cat dog", "dog cat"));
    EXPECT_FALSE(finds("bird or cat dog", "cat"));
    EXPECT_FALSE(finds("cat -dog", "cat dogs"));
    EXPECT_FALSE(finds("cat -\"big dog\"", "cat, big dog"));
    EXPECT_TRUE(finds("cat -\"big dog\"", "cat, dog big"));
    EXPECT_TRUE(finds("-dog", "cat"));
    EXPECT_TRUE(finds("load_users", "x = load_users()"));
}

TEST(SearchQuery, AnyTextIsAQuery) {
    for (const char* query :
         {"", " ", "\"", "\"\"", "-", "--", "- -", "or", "or or", "the", "& | ! <->", "\"the", "-\""})
        EXPECT_FALSE(finds(query, "the cat or -")) << query;
    EXPECT_TRUE(finds("\"cat", "cat"));
    EXPECT_TRUE(finds("or cat or", "cat"));
}

TEST(SearchQuery, HasAtMostSoManyWords) {
    std::string query;
    for (int i = 0; i < 32; ++i) query += " w" + std::to_string(i);
    EXPECT_NO_THROW(finds(query, ""));
    EXPECT_NO_THROW(finds(query + query, ""));
    EXPECT_THROW(finds(query + " one more", ""), Error);
}

TEST(SearchQuery, SubstringsWithoutCase) {
    EXPECT_TRUE(finds("[I+1] !=", "self.Items[i+1] != 2", SearchMode::substring));
    EXPECT_TRUE(finds("据", "数据库", SearchMode::substring));
    EXPECT_FALSE(finds("数库", "数据库", SearchMode::substring));
    EXPECT_FALSE(finds("", "x", SearchMode::substring));
    EXPECT_EQ(snippet_shown("ÜSS", "füssen", 100, SearchMode::substring), "f<üss>en");
}

TEST(Snippet, MarksWhatMatchesAndCutsTheRest) {
    EXPECT_EQ(snippet_shown("cat", "A Cat,\n\n\tand cats.", 100), "A <Cat>, and <cats>.");
    const std::string text = "start " + std::string(400, 'x') + " the cat sat here " + std::string(400, 'y');
    EXPECT_EQ(snippet_shown("cat", text, 30).find("\xE2\x80\xA6"), 0U);
    EXPECT_NE(snippet_shown("cat", text, 30).find("<cat> sat"), std::string::npos);
    EXPECT_LT(snippet_shown("cat", text, 30).size(), 60U);
    EXPECT_EQ(snippet_shown("\"red cat\"", "cat red cat", 100), "cat <red> <cat>");
    EXPECT_EQ(snippet_shown("-dog", "a bird", 100), "a bird");
}

TEST(Snippet, SplitsNoCharacter) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "数据";
    const std::string found = snippet_shown("库", text + "库" + text, 20);
    EXPECT_NE(found.find("<库>"), std::string::npos);
    std::string without = found;
    std::erase_if(without, [](char c) { return (c & 0x80) == 0; });
    EXPECT_EQ(without.size() % 3, 0U);
}

}  // namespace
}  // namespace pgchat
