// bcrypt against published vectors, and at the edges where other implementations truncate or misread.
#include "core/crypto/bcrypt.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

using namespace std::string_literals;

template <typename Function>
ErrorCode code_thrown_by(Function function) {
    try {
        function();
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::internal;
}

// From the test program of Openwall's crypt_blowfish 1.3 (wrapper.c).
TEST(Bcrypt, VerifiesPublishedVectors) {
    const std::pair<std::string, const char*> vectors[] = {
        {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
        {"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
        {"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
        {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
         "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"},
        {"\xa3", "$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
        {"\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
        {"\xff\xff\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"},
    };
    for (const auto& [password, hash] : vectors) {
        EXPECT_TRUE(bcrypt_verify(password, hash)) << hash;
        EXPECT_FALSE(bcrypt_verify(password + "x", hash)) << hash;
        std::string as_2b = hash;
        as_2b[2] = 'b';
        EXPECT_TRUE(bcrypt_verify(password, as_2b)) << as_2b;
    }
}

TEST(Bcrypt, HashesWithAFreshSaltAndTheCostAskedFor) {
    const std::string first = bcrypt_hash("correct horse", 4);
    EXPECT_EQ(first.size(), 60u);
    EXPECT_EQ(first.substr(0, 7), "$2b$04$");
    EXPECT_NE(first, bcrypt_hash("correct horse", 4));
    EXPECT_TRUE(bcrypt_verify("correct horse", first));
    EXPECT_FALSE(bcrypt_verify("correct horsE", first));
    EXPECT_EQ(bcrypt_cost(bcrypt_hash("x", 5)), 5);
}

TEST(Bcrypt, UsesAllOf72BytesAndRefusesMore) {
    const std::string longest(72, 'p');
    const std::string hash = bcrypt_hash(longest, 4);
    EXPECT_TRUE(bcrypt_verify(longest, hash));
    EXPECT_FALSE(bcrypt_verify(std::string(71, 'p') + "q", hash));
    EXPECT_FALSE(bcrypt_verify(longest + "p", hash));
    EXPECT_EQ(code_thrown_by([&] { bcrypt_hash(longest + "p", 4); }), ErrorCode::invalid_argument);
}

TEST(Bcrypt, RefusesNulBytesAndCostsOutOfRange) {
    EXPECT_EQ(code_thrown_by([] { bcrypt_hash("a\0b"s, 4); }), ErrorCode::invalid_argument);
    EXPECT_FALSE(bcrypt_verify("U*U\0"s, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    for (const int cost : {-1, 0, 3, 32, 100})
        EXPECT_EQ(code_thrown_by([&] { bcrypt_hash("password", cost); }), ErrorCode::invalid_argument) << cost;
}

TEST(Bcrypt, AcceptsASaltWithSpareBitsSet) {
    // 'C' + 1 in the last character of the salt: the same 128 bits, as older versions of passlib wrote them.
    EXPECT_TRUE(bcrypt_verify("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

TEST(Bcrypt, RefusesMalformedHashes) {
    const std::string good = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    std::vector<std::string> bad = {"", "$2a$05$", good + "x", good.substr(1), good.substr(0, 59), "*0", "plain text"};
    for (const auto& [position, character] : {std::pair{0, '!'},
                                              {1, '1'},
                                              {2, 'x'},
                                              {2, 'c'},
                                              {3, '.'},
                                              {4, '3'},
                                              {4, '-'},
                                              {5, '3'},
                                              {5, 'a'},
                                              {6, '.'},
                                              {10, ':'},
                                              {40, '\0'},
                                              {59, '$'}}) {
        bad.push_back(good);
        bad.back()[position] = character;
    }
    bad.push_back(good);
    bad.back().replace(4, 2, "32");
    for (const std::string& hash : bad) {
        EXPECT_EQ(bcrypt_cost(hash), std::nullopt) << hash;
        EXPECT_EQ(code_thrown_by([&] { bcrypt_verify("U*U", hash); }), ErrorCode::invalid_argument) << hash;
    }
    EXPECT_EQ(bcrypt_cost(good), 5);
}

}  // namespace
}  // namespace pgchat
