#include "core/text/blank.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(Blank, OnlyWhiteSpaceIsBlank) {
    for (const char* text :
         {"", " ", " \t\r\n\f\v", "\u00a0", "\u0085\u1680\u2000\u200a", "\u2028\u2029\u202f\u205f\u3000 "})
        EXPECT_TRUE(is_blank_text(text)) << text;
}

TEST(Blank, AnyOtherCharacterIsText) {
    // U+200B is not white space by Unicode, and U+2800 is a letter that shows nothing.
    for (const char* text : {"a", "  a  ", "\u200b", "\u2800", "\u00e0", "\u3001", "\u2027", "."})
        EXPECT_FALSE(is_blank_text(text)) << text;
}

}  // namespace
}  // namespace pgchat
