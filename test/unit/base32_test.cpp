// Base32 against the RFC's vectors, and what it takes from people.
#include "core/crypto/base32.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

using namespace std::string_literals;

// RFC 4648 section 10.
const std::pair<const char*, const char*> vectors[] = {
    {"", ""},
    {"f", "MY======"},
    {"fo", "MZXQ===="},
    {"foo", "MZXW6==="},
    {"foob", "MZXW6YQ="},
    {"fooba", "MZXW6YTB"},
    {"foobar", "MZXW6YTBOI======"},
};

TEST(Base32, MatchesPublishedVectors) {
    for (const auto& [bytes, padded] : vectors) {
        const std::string text = std::string(padded).substr(0, std::string(padded).find('='));
        EXPECT_EQ(base32_encode(bytes), text);
        EXPECT_EQ(base32_decode(text), bytes) << text;
        EXPECT_EQ(base32_decode(padded), bytes) << padded;
    }
}

TEST(Base32, EveryByteSurvives) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
        EXPECT_EQ(base32_decode(base32_encode(bytes)), bytes);
    }
}

TEST(Base32, TakesWhatPeopleType) {
    for (const char* text : {"mzxw6ytboi", "MzXw6YtBoI", "MZXW 6YTB OI", " mzxw6ytb oi== == ", "MZXW6YTBOI="})
        EXPECT_EQ(base32_decode(text), "foobar") << text;
    // Two bits fill no byte; some generators leave them set.
    EXPECT_EQ(base32_decode("MZXW6YTBOJ"), "foobar");
}

TEST(Base32, RefusesWhatIsNotBase32) {
    for (const std::string& text : {"M"s, "MZX"s, "MZXW6Y"s, "MZXW0YTB"s, "MZXW1YTB"s, "MZXW8YTB"s, "MY=M"s, "MY\n"s,
                                    "M-Y"s, "MZXW\0YTB"s, "MZX\xc3"s, "M"s + std::string(15, '=')})
        EXPECT_FALSE(base32_decode(text).has_value()) << text;
}

}  // namespace
}  // namespace pgchat
