// Signatures of webhooks: what is accepted, and everything that is not.
#include "core/billing/webhook_signature.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

constexpr std::int64_t signed_at = 1700000000;
const std::string secret = "whsec_test_secret";
const std::string body = R"({"id": "evt_1", "name": "é"})";
// python3: hmac.new(secret, f"1700000000.{body}".encode(), "sha256").hexdigest()
const std::string right = "b86f27d895b468d6daf9819418d84f2c3658cf31f1ef7cab93ff6be8dca497ec";
const std::string header = "t=1700000000,v1=" + right;

WebhookVerdict check(const std::string& text, std::int64_t now = signed_at, const std::string& sent = body,
                     const std::string& key = secret, std::int64_t tolerance = 300) {
    return check_webhook_signature(text, sent, key, now, tolerance);
}

TEST(WebhookSignature, AcceptsWhatTheProviderSigned) {
    EXPECT_EQ(check(header), WebhookVerdict::valid);
    const std::string other(64, '0');
    EXPECT_EQ(check("t=1700000000,v1=" + other + ",v1=" + right + ",v0=abc"), WebhookVerdict::valid);
    EXPECT_EQ(check("v1=" + right + ", t=1700000000"), WebhookVerdict::valid) << "in any order";
    EXPECT_EQ(check(header + ",t2=x,v1="), WebhookVerdict::valid) << "what is not known is passed over";
    std::string upper = right;
    for (char& c : upper)
        if (c >= 'a') c = static_cast<char>(c - 32);
    EXPECT_EQ(check("t=1700000000,v1=" + upper), WebhookVerdict::valid);
}

TEST(WebhookSignature, RefusesWhatItDidNot) {
    EXPECT_EQ(check(header, signed_at, body + " "), WebhookVerdict::wrong);
    EXPECT_EQ(check(header, signed_at, ""), WebhookVerdict::wrong);
    EXPECT_EQ(check(header, signed_at, body, "whsec_another"), WebhookVerdict::wrong);
    EXPECT_EQ(check(header, signed_at, body, ""), WebhookVerdict::wrong);
    EXPECT_EQ(check("t=1700000001,v1=" + right), WebhookVerdict::wrong) << "the time is signed, too";
    EXPECT_EQ(check("t=01700000000,v1=" + right), WebhookVerdict::wrong) << "as it is written";
    for (std::size_t i = 0; i < right.size(); ++i) {
        std::string changed = right;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_EQ(check("t=1700000000,v1=" + changed), WebhookVerdict::wrong) << i;
    }
    for (const std::string& cut : {right.substr(1), right.substr(0, 63), right + "0", std::string()})
        EXPECT_EQ(check("t=1700000000,v1=" + cut), WebhookVerdict::wrong) << cut;
    EXPECT_EQ(check("t=1700000000,v1=zz" + right.substr(2)), WebhookVerdict::wrong);
}

TEST(WebhookSignature, HoldsForATime) {
    EXPECT_EQ(check(header, signed_at + 300), WebhookVerdict::valid);
    EXPECT_EQ(check(header, signed_at + 301), WebhookVerdict::too_old);
    EXPECT_EQ(check(header, signed_at - 300), WebhookVerdict::valid);
    EXPECT_EQ(check(header, signed_at - 301), WebhookVerdict::too_early);
    EXPECT_EQ(check("t=9223372036854775807,v1=" + right), WebhookVerdict::too_early);
    EXPECT_EQ(check("t=0,v1=" + right), WebhookVerdict::too_old);
}

TEST(WebhookSignature, RefusesHeadersInNoKnownForm) {
    for (const char* text : {"", ",", "t", "t=", "t=1700000000", "v1", "t=1700000000,v1", "t=x,v1=ab", "t=-1,v1=ab",
                             "t=1.5,v1=ab", "t=1700000000 ,t=1700000000,v1=ab", "t=99999999999999999999,v1=ab",
                             "t=1700000000,v0=ab", "T=1700000000,v1=ab"})
        EXPECT_EQ(check(text), WebhookVerdict::malformed) << text;
    EXPECT_EQ(check("v1=" + right), WebhookVerdict::malformed) << "without a time";
    EXPECT_EQ(check(header + ",v0=" + std::string(4096, 'a')), WebhookVerdict::malformed) << "too long";
}

TEST(WebhookSignature, NamesItsVerdicts) {
    EXPECT_STREQ(name_of(WebhookVerdict::valid), "valid");
    EXPECT_STREQ(name_of(WebhookVerdict::malformed), "malformed");
    EXPECT_STREQ(name_of(WebhookVerdict::too_old), "too_old");
    EXPECT_STREQ(name_of(WebhookVerdict::too_early), "too_early");
    EXPECT_STREQ(name_of(WebhookVerdict::wrong), "wrong");
}

}  // namespace
}  // namespace pgchat
