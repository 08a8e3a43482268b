// Sealed secrets: bound to key, purpose, user and row.
#include "core/crypto/sealed_secret.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

const Uuid owner = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
const Uuid stranger = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c073990");
const Uuid row = *parse_uuid("017f22e2-79b1-7cc3-98c4-dc0c0c073991");
const SealPlace secret_place{"totp", owner, row};
constexpr std::string_view secret = "a secret\0with NUL";

MasterKey key_of(char digit) {
    return MasterKey::parse(std::string(64, digit));
}

std::string seal_refusal(const MasterKey& key, const SealPlace& at, std::string_view sealed) {
    try {
        open_secret(key, at, sealed);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unsealing_failed);
        EXPECT_FALSE(error.hint().empty());
        return error.what();
    }
    return {};
}

TEST(SealedSecret, OpensWhereItWasSealed) {
    const MasterKey key = key_of('1');
    for (const std::string& text : {std::string(), std::string(secret), std::string(100000, 'x')})
        EXPECT_EQ(open_secret(key, secret_place, seal_secret(key, secret_place, text)).view(), text);
    EXPECT_EQ(open_secret(key_of('1'), secret_place, seal_secret(key, secret_place, secret)).view(), secret)
        << "the key read again";
}

TEST(SealedSecret, NeverLooksTheSameAndShowsNothing) {
    const MasterKey key = key_of('1');
    const std::string once = seal_secret(key, secret_place, secret), again = seal_secret(key, secret_place, secret);
    EXPECT_NE(once, again);
    EXPECT_EQ(once.size(), 1 + 8 + 12 + secret.size() + 16);
    EXPECT_EQ(once.substr(0, 9), again.substr(0, 9)) << "version and key id";
    EXPECT_EQ(once.find("secret"), std::string::npos);
}

TEST(SealedSecret, OpensNowhereElse) {
    const MasterKey key = key_of('1');
    const std::string sealed = seal_secret(key, secret_place, secret);
    EXPECT_NE(seal_refusal(key, {"totp", stranger, row}, sealed), "") << "another user";
    EXPECT_NE(seal_refusal(key, {"totp", owner, owner}, sealed), "") << "another row";
    EXPECT_NE(seal_refusal(key, {"totp", row, owner}, sealed), "") << "user and row exchanged";
    EXPECT_NE(seal_refusal(key, {"api_key", owner, row}, sealed), "") << "another purpose";
    EXPECT_NE(seal_refusal(key, {"", owner, row}, sealed), "") << "no purpose";
    EXPECT_NE(seal_refusal(key_of('2'), secret_place, sealed).find("another master key"), std::string::npos);
}

TEST(SealedSecret, NoticesEveryChange) {
    const MasterKey key = key_of('1');
    const std::string sealed = seal_secret(key, secret_place, secret);
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_NE(seal_refusal(key, secret_place, sealed.substr(0, size)), "") << size;
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        std::string changed = sealed;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
        EXPECT_NE(seal_refusal(key, secret_place, changed), "") << bit;
    }
    EXPECT_NE(seal_refusal(key, secret_place, sealed + "x"), "");
}

TEST(MasterKey, IsReadFromHexadecimalDigits) {
    const std::string digits = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
    const MasterKey key = MasterKey::parse(digits);
    EXPECT_EQ(MasterKey::parse(" " + digits + "\r\n").id(), key.id());
    EXPECT_EQ(key.id().size(), 8u);
    EXPECT_EQ(key.sealing_key().size(), 32u);
    EXPECT_NE(key_of('1').id(), key_of('2').id());
    EXPECT_NE(key_of('1').sealing_key(), key_of('2').sealing_key());
    EXPECT_NE(key.sealing_key().substr(0, 8), key.id()) << "the id tells nothing of the key";
}

TEST(MasterKey, RefusesAnythingElseWithoutRepeatingIt) {
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
          std::string(32, 'a') + " " + std::string(32, 'a'), std::string(64, '\0')}) {
        try {
            MasterKey::parse(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::master_key_unavailable);
            EXPECT_EQ(std::string(error.what()), "the master key is malformed");
            EXPECT_FALSE(error.hint().empty());
        }
    }
}

TEST(MasterKey, MakesKeysThatItReads) {
    const SecretBytes once = MasterKey::generate_text(), again = MasterKey::generate_text();
    EXPECT_EQ(once.size(), 65u);
    EXPECT_NE(once.view(), again.view());
    EXPECT_NE(MasterKey::parse(once.view()).id(), MasterKey::parse(again.view()).id());
}

}  // namespace
}  // namespace pgchat
