// AES-256-GCM against the published vector, and that nothing can be changed unnoticed.
#include "core/crypto/aead.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/hex.hpp"

namespace pgchat {
namespace {

// McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
const std::string gcm_key = from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
const std::string nonce = from_hex("cafebabefacedbaddecaf888");
const std::string data = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const std::string plaintext = from_hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba"
    "637b39");
const std::string ciphertext = from_hex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abc"
    "c9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b");

TEST(Aead, MatchesThePublishedVector) {
    EXPECT_EQ(to_hex(aead_encrypt(gcm_key, nonce, data, plaintext)), to_hex(ciphertext));
    const auto opened = aead_decrypt(gcm_key, nonce, data, ciphertext);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->view(), plaintext);
    // Test case 14 without its plaintext is case 13: only a tag.
    EXPECT_EQ(to_hex(aead_encrypt(std::string(32, '\0'), std::string(12, '\0'), "", "")),
              "530f8afbc74536b9a963b4f1c4cb738b");
}

TEST(Aead, NoticesEveryBitThatIsAnother) {
    const auto with_bit_flipped = [](std::string text, std::size_t bit) {
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
        return text;
    };
    for (std::size_t bit = 0; bit < ciphertext.size() * 8; ++bit)
        EXPECT_FALSE(aead_decrypt(gcm_key, nonce, data, with_bit_flipped(ciphertext, bit)).has_value()) << bit;
    for (std::size_t bit = 0; bit < data.size() * 8; ++bit)
        EXPECT_FALSE(aead_decrypt(gcm_key, nonce, with_bit_flipped(data, bit), ciphertext).has_value()) << bit;
    for (std::size_t bit = 0; bit < gcm_key.size() * 8; ++bit)
        EXPECT_FALSE(aead_decrypt(with_bit_flipped(gcm_key, bit), nonce, data, ciphertext).has_value()) << bit;
    for (std::size_t bit = 0; bit < nonce.size() * 8; ++bit)
        EXPECT_FALSE(aead_decrypt(gcm_key, with_bit_flipped(nonce, bit), data, ciphertext).has_value()) << bit;
}

TEST(Aead, NoticesMissingAndAddedBytes) {
    for (std::size_t size = 0; size < ciphertext.size(); ++size)
        EXPECT_FALSE(aead_decrypt(gcm_key, nonce, data, ciphertext.substr(0, size)).has_value()) << size;
    EXPECT_FALSE(aead_decrypt(gcm_key, nonce, data, ciphertext + '\0').has_value());
    EXPECT_FALSE(aead_decrypt(gcm_key, nonce, data + '\0', ciphertext).has_value());
    EXPECT_FALSE(aead_decrypt(gcm_key, nonce, "", ciphertext).has_value());
}

TEST(Aead, RefusesKeysAndNoncesOfAnotherSize) {
    EXPECT_THROW(aead_encrypt(gcm_key.substr(1), nonce, data, plaintext), Error);
    EXPECT_THROW(aead_encrypt(gcm_key, nonce + "x", data, plaintext), Error);
    EXPECT_THROW(aead_decrypt("", nonce, data, ciphertext), Error);
}

}  // namespace
}  // namespace pgchat
