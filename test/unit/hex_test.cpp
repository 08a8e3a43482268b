#include "core/text/hex.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(Hex, EachByteIsTwoLowerCaseDigits) {
    EXPECT_EQ(hex_of(""), "");
    EXPECT_EQ(hex_of(std::string_view("\x00\x0f\x10\x7f\x80\xab\xff", 7)), "000f107f80abff");
}

TEST(Hex, WhatIsWrittenReadsBack) {
    for (int byte = 0; byte < 256; ++byte) {
        char digits[2];
        EXPECT_EQ(write_hex(static_cast<unsigned char>(byte), digits), digits + 2);
        EXPECT_EQ(hex_value(digits[0]) * 16 + hex_value(digits[1]), byte);
    }
}

TEST(Hex, DigitsAreReadInEitherCase) {
    EXPECT_EQ(hex_value('a'), 10);
    EXPECT_EQ(hex_value('F'), 15);
}

TEST(Hex, WhatIsBesideTheDigitsHasNoValue) {
    for (const char c : {'/', ':', '@', 'G', '`', 'g', ' ', '\0', '\xff'}) EXPECT_EQ(hex_value(c), -1) << c;
}

}  // namespace
}  // namespace pgchat
