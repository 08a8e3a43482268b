#include "core/text/ascii.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(Ascii, TrimsBothEndsAndNothingBetween) {
    EXPECT_EQ(trimmed(" \t\r\na b\n "), "a b");
    EXPECT_EQ(trimmed("a"), "a");
    EXPECT_EQ(trimmed(""), "");
    EXPECT_EQ(trimmed(" \n "), "");
    EXPECT_EQ(trimmed("\xC2\xA0x"), "\xC2\xA0x") << "a space of Unicode is none of ASCII";
}

TEST(Ascii, TrimsTheCharactersThatAreNamed) {
    EXPECT_EQ(trimmed("\t= a =\t", " ="), "\t= a =\t");
    EXPECT_EQ(trimmed("= a =", " ="), "a");
}

TEST(Ascii, ComparesLettersWithoutTheirCaseAndOthersAsTheyAre) {
    EXPECT_TRUE(equal_ignoring_case("Content-TYPE", "content-type"));
    EXPECT_FALSE(equal_ignoring_case("content", "content-type"));
    EXPECT_FALSE(equal_ignoring_case("[", "{")) << "they differ as letters of different case do";
    EXPECT_FALSE(equal_ignoring_case("\xC3\x84", "\xC3\xA4")) << "only letters of ASCII have a case here";
}

TEST(Ascii, TellsControlCharacters) {
    for (const char c : {'\0', '\t', '\x1F', '\x7F'}) EXPECT_TRUE(is_ascii_control(c)) << int{c};
    for (const char c : {' ', '~', '\x80', '\xFF'}) EXPECT_FALSE(is_ascii_control(c)) << int{c};
}

}  // namespace
}  // namespace pgchat
