// SHA-256 against NIST's vectors.
#include "core/crypto/sha256.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

std::string hex(const Sha256Digest& digest) {
    std::string text;
    for (const auto byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

// NIST's examples for FIPS 180-4, and the empty message of its SHA256ShortMsg.rsp.
TEST(Sha256, MatchesPublishedVectors) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, EachHashStartsAnew) {
    const Sha256Digest first = sha256("abc");
    sha256("something else");
    EXPECT_EQ(sha256("abc"), first);
    EXPECT_NE(sha256(std::string_view("abc\0", 4)), first);
}

}  // namespace
}  // namespace pgchat
