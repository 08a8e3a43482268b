#include "core/text/percent.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(Percent, UnreservedCharactersStay) {
    constexpr std::string_view unreserved = "ABCXYZabcxyz0189-._~";
    EXPECT_EQ(percent_encoded(unreserved), unreserved);
    EXPECT_EQ(percent_encoded(""), "");
}

TEST(Percent, AllOtherBytesAreEncoded) {
    EXPECT_EQ(percent_encoded("a b&c=d?e#f/g%h+\n"), "a%20b%26c%3Dd%3Fe%23f%2Fg%25h%2B%0A");
    EXPECT_EQ(percent_encoded(std::string_view("\0\x7f\xff", 3)), "%00%7F%FF");
    EXPECT_EQ(percent_encoded("\xc3\xa9"), "%C3%A9");
}

}  // namespace
}  // namespace pgchat
