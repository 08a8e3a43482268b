#include "core/text/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

const std::string fffd(replacement_character);

struct Utf8Case {
    std::string bytes;
    std::string clean;
};

// The first three are the examples of The Unicode Standard, tables 3-8, 3-9 and 3-11.
const std::vector<Utf8Case> utf8_cases{
    {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", fffd + fffd + fffd + fffd + fffd + fffd + fffd + fffd + "A"},
    {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", fffd + fffd + fffd + fffd + fffd + fffd + fffd + fffd + "A"},
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", fffd + fffd + fffd + fffd + "A"},
    {std::string("a\0b", 3), "a" + fffd + "b"},
    {"\xF4\x90\x80\x80", fffd + fffd + fffd + fffd},
    {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
    {"caf\xC3", "caf" + fffd},
    {"\xF0\x9F\x98", fffd},
    {"\xF0\x9F\x98\x80 grüße", "\xF0\x9F\x98\x80 grüße"},
    {"", ""},
};

TEST(Utf8, ReplacesMaximalSubparts) {
    for (const Utf8Case& c : utf8_cases) EXPECT_EQ(clean_text(c.bytes), c.clean);
}

TEST(Utf8, CleansTheSameWhereverTheTextIsSplit) {
    for (const Utf8Case& c : utf8_cases)
        for (std::size_t first = 0; first <= c.bytes.size(); ++first)
            for (std::size_t second = first; second <= c.bytes.size(); ++second) {
                Utf8Sanitizer sanitizer;
                std::string out;
                out += sanitizer.feed(std::string_view(c.bytes).substr(0, first));
                out += sanitizer.feed(std::string_view(c.bytes).substr(first, second - first));
                out += sanitizer.feed(std::string_view(c.bytes).substr(second));
                out += sanitizer.finish();
                EXPECT_EQ(out, c.clean);
                EXPECT_EQ(sanitizer.replaced(), c.bytes != c.clean);
            }
}

TEST(Utf8, PassesValidTextWithoutACopy) {
    const std::string text = "plain and größer";
    Utf8Sanitizer sanitizer;
    EXPECT_EQ(sanitizer.feed(text).data(), text.data());
}

TEST(Utf8, GivesOnlyWholeCharacters) {
    Utf8Sanitizer sanitizer;
    EXPECT_EQ(sanitizer.feed("ab\xF0\x9F"), "ab");
    EXPECT_EQ(sanitizer.feed("\x98"), "");
    EXPECT_EQ(sanitizer.feed("\x80!"), "\xF0\x9F\x98\x80!");
    EXPECT_FALSE(sanitizer.replaced());
}

TEST(Utf8, CutsBetweenCharacters) {
    const std::string_view text = "aé🌊";
    EXPECT_EQ(truncate_text(text, 0), "");
    EXPECT_EQ(truncate_text(text, 1), "a");
    EXPECT_EQ(truncate_text(text, 2), "a");
    EXPECT_EQ(truncate_text(text, 3), "aé");
    EXPECT_EQ(truncate_text(text, 6), "aé");
    EXPECT_EQ(truncate_text(text, 7), text);
    EXPECT_EQ(truncate_text(text, 100), text);
}

}  // namespace
}  // namespace pgchat
