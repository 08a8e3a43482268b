// Session tokens: one spelling each, and a hash that is of the secret alone.
#include "core/crypto/session_token.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

SessionToken sample() {
    SessionToken token;
    token.user_id = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    for (std::size_t i = 0; i < token.secret.size(); ++i) token.secret[i] = static_cast<std::uint8_t>(i);
    return token;
}

TEST(SessionToken, WritesAndReadsItsText) {
    const SessionToken token = sample();
    const std::string text = token.text();
    // python3: base64.urlsafe_b64encode(uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").bytes + bytes(range(32)))
    EXPECT_EQ(text, "pgc_AX8i4nmwfMOYxNwMDAc5jwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
    const auto parsed = SessionToken::parse(text);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->user_id, token.user_id);
    EXPECT_EQ(parsed->secret, token.secret);
}

TEST(SessionToken, IsNeverTakenForARefreshToken) {
    const SessionToken token = sample();
    const std::string text = token.text(refresh_token_prefix);
    EXPECT_TRUE(text.starts_with("pgr_"));
    EXPECT_FALSE(SessionToken::parse(text).has_value());
    EXPECT_FALSE(SessionToken::parse(token.text(), refresh_token_prefix).has_value());
    EXPECT_EQ(SessionToken::parse(text, refresh_token_prefix)->secret, token.secret);
}

TEST(SessionToken, HashesTheSecretAlone) {
    SessionToken token = sample();
    // FIPS 180-4 of the bytes 0..31, as sha256sum gives it.
    const Sha256Digest hash = token.hash();
    EXPECT_EQ(hash[0], 0x63);
    EXPECT_EQ(hash[1], 0x0d);
    EXPECT_EQ(hash[2], 0xcd);
    EXPECT_EQ(hash[31], 0xdd);
    token.user_id = Uuid{};
    EXPECT_EQ(token.hash(), hash);
    token.secret[31] ^= 1;
    EXPECT_NE(token.hash(), hash);
}

TEST(SessionToken, EachIsNew) {
    const Uuid user = sample().user_id;
    const SessionToken first = SessionToken::generate(user);
    EXPECT_EQ(first.user_id, user);
    EXPECT_NE(first.secret, SessionToken::generate(user).secret);
    EXPECT_EQ(SessionToken::parse(first.text())->secret, first.secret);
}

TEST(SessionToken, RefusesEveryOtherText) {
    const std::string good = sample().text();
    for (const std::string& text :
         {std::string(), std::string("pgc_"), good.substr(0, 67), good + "A", "PGC_" + good.substr(4),
          " " + good.substr(1), good.substr(4), good.substr(0, 67) + "=", good.substr(0, 67) + "+",
          good.substr(0, 67) + "\n", good.substr(0, 67) + std::string(1, '\0'), good.substr(0, 67) + "\xe9"})
        EXPECT_FALSE(SessionToken::parse(text).has_value()) << text;
    EXPECT_TRUE(SessionToken::parse(good).has_value());
}

}  // namespace
}  // namespace pgchat
