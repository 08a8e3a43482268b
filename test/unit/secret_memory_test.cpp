// Comparison and wiping of secrets.
#include "core/crypto/secret_memory.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

TEST(SecretMemory, ComparesAllBytes) {
    EXPECT_TRUE(constant_time_equal("", ""));
    EXPECT_TRUE(constant_time_equal("secret", "secret"));
    EXPECT_FALSE(constant_time_equal("secret", "secres"));
    EXPECT_FALSE(constant_time_equal("secret", "Secret"));
    EXPECT_FALSE(constant_time_equal("secret", "secre"));
    EXPECT_FALSE(constant_time_equal(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

TEST(SecretMemory, WipesExactlyWhatItIsGiven) {
    std::string text = "secret!";
    secure_zero(text.data(), 6);
    EXPECT_EQ(text, std::string(6, '\0') + "!");
}

TEST(SecretMemory, SecretBytesHoldWhatTheyWereGiven) {
    SecretBytes bytes(std::string_view("a\0b", 3));
    EXPECT_EQ(bytes.view(), std::string_view("a\0b", 3));
    const unsigned char* const place = bytes.data();
    SecretBytes moved(std::move(bytes));
    EXPECT_EQ(moved.data(), place) << "moving copies nothing";
    EXPECT_EQ(moved.size(), 3u);
    EXPECT_EQ(SecretBytes(4).view(), std::string_view("\0\0\0\0", 4));
    EXPECT_TRUE(SecretBytes(std::string_view()).view().empty());
}

}  // namespace
}  // namespace pgchat
