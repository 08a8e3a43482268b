// Base64url against the RFC's vectors, and its strictness.
#include "core/crypto/base64url.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

using namespace std::string_literals;

// RFC 4648 section 10, without the padding; the last two show the URL-safe characters.
TEST(Base64url, MatchesPublishedVectors) {
    const std::pair<std::string, const char*> vectors[] = {
        {"", ""},
        {"f", "Zg"},
        {"fo", "Zm8"},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg"},
        {"fooba", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff", "-_8"},
        {"\x00\x10\x83"s, "ABCD"},
    };
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(base64url_encode(bytes), text);
        EXPECT_EQ(base64url_decode(text), bytes) << text;
    }
}

TEST(Base64url, EveryByteSurvives) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
        EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
    }
}

TEST(Base64url, RefusesWhatIsNotCanonical) {
    for (const std::string& text :
         {"Zg=="s, "Zg="s, "Z"s, "Zm9vY"s, "Zm 9v"s, "Zm9v\n"s, "+/8"s, "Zh"s, "Zm9"s, "Zm9v\0"s, "Zm9\xc3"s})
        EXPECT_FALSE(base64url_decode(text).has_value()) << text;
}

}  // namespace
}  // namespace pgchat
