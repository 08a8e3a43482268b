// HMAC against the RFCs' vectors.
#include "core/crypto/hmac.hpp"

#include <gtest/gtest.h>

#include "support/hex.hpp"

namespace pgchat {
namespace {

// Test case 2 of RFC 2202 section 3 and RFC 4231 section 4.3.
TEST(Hmac, MatchesPublishedVectors) {
    const auto digest = [](HashAlgorithm algorithm) {
        return to_hex(hmac(algorithm, "Jefe", "what do ya want for nothing?"));
    };
    EXPECT_EQ(digest(HashAlgorithm::sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    EXPECT_EQ(digest(HashAlgorithm::sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(digest(HashAlgorithm::sha512),
              "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
              "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

// Test cases 3 and 6 of RFC 4231: bytes beyond ASCII, and a key longer than a block.
TEST(Hmac, TakesAnyKeyAndData) {
    EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha256, std::string(20, '\xaa'), std::string(50, '\xdd'))),
              "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha256, std::string(131, '\xaa'),
                          "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    // python3: hmac.new(b"", b"", "sha256").hexdigest()
    EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha256, {}, {})),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, KnowsItsAlgorithmsByName) {
    for (const HashAlgorithm algorithm : {HashAlgorithm::sha1, HashAlgorithm::sha256, HashAlgorithm::sha512}) {
        EXPECT_EQ(hash_algorithm_from_name(name_of(algorithm)), algorithm);
        EXPECT_EQ(hmac(algorithm, "k", "d").size(), digest_size(algorithm));
    }
    EXPECT_EQ(hash_algorithm_from_name("sha256"), HashAlgorithm::sha256);
    for (const char* name : {"", "SHA", "SHA224", "MD5", "SHA1 "}) EXPECT_FALSE(hash_algorithm_from_name(name)) << name;
}

}  // namespace
}  // namespace pgchat
