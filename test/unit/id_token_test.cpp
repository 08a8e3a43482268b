// ID tokens: each rule of OpenID Connect broken alone.
#include "core/jose/id_token.hpp"

#include "jose_support.hpp"

namespace pgchat {
namespace {

constexpr std::int64_t token_time = 1'800'000'000;

class IdToken : public testing::Test {
protected:
    IdToken() : key_(JoseKey::generate(JoseAlgorithm::es256)) {
        rules_.issuer = "https://idp.example";
        rules_.client_id = "client";
        rules_.algorithms = {JoseAlgorithm::es256, JoseAlgorithm::eddsa};
        rules_.nonce = "n-0S6_WzA2Mj";
        rules_.now = token_time;
        claims_ = {{"iss", "https://idp.example"}, {"sub", "248289761001"},   {"aud", "client"},
                   {"nonce", "n-0S6_WzA2Mj"},      {"exp", token_time + 600}, {"iat", token_time}};
    }

    bool accepts(const Json& claims) const {
        const std::string token = sign_jws(claims.dump(), key_, "k");
        try {
            return read_id_token(read_compact_jws(token), key_, rules_) == claims;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_token);
            return false;
        }
    }
    bool accepts_with(const char* name, const Json& value) const {
        Json claims = claims_;
        claims[name] = value;
        return accepts(claims);
    }
    bool accepts_without(const char* name) const {
        Json claims = claims_;
        claims.erase(name);
        return accepts(claims);
    }

    JoseKey key_;
    IdTokenRules rules_;
    Json claims_;
};

TEST_F(IdToken, IsAcceptedWhenAllIsRight) {
    EXPECT_TRUE(accepts(claims_));
    EXPECT_TRUE(accepts_with("azp", "client"));
}

TEST_F(IdToken, NeedsEveryRequiredClaim) {
    for (const char* const name : {"iss", "sub", "aud", "nonce", "exp", "iat"})
        EXPECT_FALSE(accepts_without(name)) << name;
    EXPECT_FALSE(accepts_with("iss", "https://idp.example/"));
    EXPECT_FALSE(accepts_with("nonce", "n-0S6_WzA2MJ"));
    EXPECT_FALSE(accepts_with("nonce", ""));
    EXPECT_FALSE(accepts_with("sub", ""));
    EXPECT_FALSE(accepts_with("sub", 248289761001));
    EXPECT_FALSE(accepts_with("sub", std::string(256, 's')));
    EXPECT_FALSE(accepts_with("exp", token_time - 61));
    EXPECT_FALSE(accepts_with("iat", token_time + 61));
    rules_.nonce.clear();
    EXPECT_FALSE(accepts_with("nonce", ""));
}

TEST_F(IdToken, IsForThisClient) {
    EXPECT_FALSE(accepts_with("aud", "other"));
    EXPECT_FALSE(accepts_with("azp", "other"));
    EXPECT_TRUE(accepts_with("aud", Json::array({"client"})));
    EXPECT_FALSE(accepts_with("aud", {"client", "other"}));
    Json claims = claims_;
    claims["aud"] = {"client", "other"};
    claims["azp"] = "client";
    EXPECT_TRUE(accepts(claims));
    claims["azp"] = "other";
    EXPECT_FALSE(accepts(claims));
}

// OpenID Connect Core 1.0 section 3.1.3.6; the example of its appendix A.3 has this access token and this hash.
TEST_F(IdToken, BelongsToItsAccessToken) {
    EXPECT_TRUE(accepts_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")) << "nothing to compare with";
    rules_.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    EXPECT_TRUE(accepts_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"));
    EXPECT_FALSE(accepts_with("at_hash", "77QmUPtjPfzWtF2AnpK9RR"));
    EXPECT_FALSE(accepts_with("at_hash", ""));
    EXPECT_FALSE(accepts_with("at_hash", 1));
    EXPECT_TRUE(accepts(claims_)) << "at_hash is optional";
}

TEST_F(IdToken, HasAnAlgorithmOfItsProvider) {
    rules_.algorithms = {JoseAlgorithm::rs256};
    EXPECT_FALSE(accepts(claims_));
    const JoseKey secret = JoseKey::generate(JoseAlgorithm::hs256);
    rules_.algorithms = {JoseAlgorithm::hs256};
    EXPECT_TRUE(
        is_refused([&] { read_id_token(read_compact_jws(sign_jws(claims_.dump(), secret, "")), secret, rules_); }));
}

TEST(IdTokenKey, IsTheOneThatTheTokenNames) {
    std::vector<NamedKey> keys;
    for (const char* const kid : {"a", "b", ""}) keys.push_back({kid, JoseKey::generate(JoseAlgorithm::es256)});
    keys.push_back({"c", JoseKey::generate(JoseAlgorithm::eddsa)});
    const std::vector<JoseAlgorithm> both{JoseAlgorithm::es256, JoseAlgorithm::eddsa};
    const auto found = [&](const JoseKey& key, const char* kid, const std::vector<JoseAlgorithm>& algorithms) {
        const std::string token = sign_jws("{}", key, kid);
        const CompactJws read = read_compact_jws(token);
        return find_id_token_key(read.algorithm, read.kid, keys, algorithms);
    };
    EXPECT_EQ(found(keys[0].key, "a", both), &keys[0].key);
    EXPECT_EQ(found(keys[0].key, "b", both), &keys[1].key);
    EXPECT_EQ(found(keys[0].key, "z", both), nullptr);
    EXPECT_EQ(found(keys[0].key, "c", both), nullptr) << "a key of another algorithm";
    EXPECT_EQ(found(keys[0].key, "", both), nullptr) << "three could be meant";
    EXPECT_EQ(found(keys[3].key, "", both), &keys[3].key);
    EXPECT_EQ(found(keys[3].key, "c", {JoseAlgorithm::es256}), nullptr);
    keys.push_back({"a", JoseKey::generate(JoseAlgorithm::es256)});
    EXPECT_EQ(found(keys[0].key, "a", both), nullptr) << "two of the same name";
}

}  // namespace
}  // namespace pgchat
