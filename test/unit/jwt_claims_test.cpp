// Claims: who issued the token, for whom, and for which time.
#include "core/jose/jwt_claims.hpp"

#include "jose_support.hpp"

namespace pgchat {
namespace {

constexpr std::int64_t claims_time = 1'800'000'000;
const ClaimRules rules{"me", "you", claims_time, 60};

Json good() {
    return {{"iss", "me"}, {"aud", "you"}, {"exp", claims_time + 900}};
}

bool accepts(const Json& claims) {
    try {
        return read_claims(claims.dump(), rules) == claims;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_token);
        return false;
    }
}

bool accepts_with(const char* name, const Json& value) {
    Json claims = good();
    claims[name] = value;
    return accepts(claims);
}

bool accepts_without(const char* name) {
    Json claims = good();
    claims.erase(name);
    return accepts(claims);
}

TEST(JwtClaims, NeedAnExpiryThatHasNotCome) {
    EXPECT_TRUE(accepts(good()));
    EXPECT_FALSE(accepts_without("exp"));
    EXPECT_TRUE(accepts_with("exp", claims_time - 59));
    EXPECT_FALSE(accepts_with("exp", claims_time - 60));
    EXPECT_TRUE(accepts_with("exp", static_cast<double>(claims_time) + 0.5));
    EXPECT_FALSE(accepts_with("exp", static_cast<double>(claims_time) - 60.5));
    EXPECT_TRUE(accepts_with("exp", 253402300799));
    for (const Json& value : {Json(253402300800), Json(UINT64_MAX), Json(1e300), Json(-1), Json(-1e300), Json(0),
                              Json(std::to_string(claims_time + 900)), Json(true), Json(),
                              Json::array({claims_time + 900}), Json::object()})
        EXPECT_FALSE(accepts_with("exp", value)) << value.dump();
    for (const char* const number : {"1e999", "NaN", "Infinity", "01800000900", "1800000900.", "0x7fffffff"})
        EXPECT_TRUE(is_refused([&] {
            read_claims(std::string(R"({"iss":"me","aud":"you","exp":)") + number + "}", rules);
        })) << number;
}

TEST(JwtClaims, HonourNotBeforeAndIssuedAt) {
    for (const char* const name : {"nbf", "iat"}) {
        EXPECT_TRUE(accepts_with(name, claims_time + 60));
        EXPECT_TRUE(accepts_with(name, 0));
        EXPECT_FALSE(accepts_with(name, claims_time + 61));
        EXPECT_FALSE(accepts_with(name, -5));
        EXPECT_FALSE(accepts_with(name, "0"));
        EXPECT_FALSE(accepts_with(name, Json()));
        EXPECT_FALSE(accepts_with(name, 1e300));
    }
}

TEST(JwtClaims, NeedTheirIssuerAndAudience) {
    EXPECT_FALSE(accepts_without("iss"));
    EXPECT_FALSE(accepts_with("iss", "ME"));
    EXPECT_FALSE(accepts_with("iss", Json::array({"me"})));
    EXPECT_FALSE(accepts_with("iss", Json()));
    EXPECT_FALSE(accepts_without("aud"));
    EXPECT_TRUE(accepts_with("aud", {"others", "you"}));
    EXPECT_TRUE(accepts_with("aud", Json::array({"you"})));
    for (const Json& value :
         {Json("others"), Json(""), Json(), Json::array(), Json::array({"others"}), Json::array({Json::array({"you"})}),
          Json::array({"you", 1}), Json::object({{"you", 1}}), Json("you ")})
        EXPECT_FALSE(accepts_with("aud", value)) << value.dump();
    EXPECT_TRUE(is_refused([] {
        read_claims(R"({"iss":"","aud":"you","exp":1800000900})", {"", "other", claims_time, 60});
    }));
}

TEST(JwtClaims, RefuseRepeatedMembersAndWhatIsNoObject) {
    const std::string start = R"({"iss":"me","aud":"you","exp":1800000900)";
    EXPECT_NO_THROW(read_claims(start + R"(,"sub":"a"})", rules));
    for (const char* const rest :
         {R"(,"sub":"a","sub":"a"})", R"(,"exp":1800000900})", R"(,"\u0065xp":1800000900})", R"(,"o":{"a":1,"a":1}})",
          R"(,"o":[{"a":1,"\u0061":1}]})", R"(,"sub":"\ud800"})", R"(,"sub":"a\u0000"})",
          R"(,"sub":")"
          "\xff"
          R"("})",
          "}x", "", ",}", R"(}{"sub":"a"})"})
        EXPECT_TRUE(is_refused([&] { read_claims(start + rest, rules); })) << rest;
    for (const char* const text : {"", "null", "[]", "1", "\"text\""})
        EXPECT_TRUE(is_refused([&] { read_claims(text, rules); })) << text;
    EXPECT_NO_THROW(read_claims(start + R"(,"o":{"iss":"other"},"p":{"iss":"other"}})", rules));
    EXPECT_TRUE(is_refused(
        [&] { read_claims(start + R"(,"o":)" + std::string(20, '[') + std::string(20, ']') + "}", rules); }));
}

}  // namespace
}  // namespace pgchat
