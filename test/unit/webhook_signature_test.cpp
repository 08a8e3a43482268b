// Signatures of webhooks: what is accepted, and everything that is not.
#include "core/billing/webhook_signature.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

constexpr std::int64_t signed_at = 1700000000;
const std::string webhook_secret = "whsec_test_secret";
const std::string webhook_body = R"({"id": "evt_1", "name": "é"})";
// python3: hmac.new(webhook_secret, f"1700000000.{webhook_body}".encode(), "sha256").hexdigest()
const std::string right_signature = "b86f27d895b468d6daf9819418d84f2c3658cf31f1ef7cab93ff6be8dca497ec";
const std::string webhook_header = "t=1700000000,v1=" + right_signature;

WebhookVerdict verdict_on(const std::string& text, std::int64_t now = signed_at, const std::string& sent = webhook_body,
                          const std::string& key = webhook_secret, std::int64_t tolerance = 300) {
    return check_webhook_signature(text, sent, key, now, tolerance);
}

TEST(WebhookSignature, AcceptsWhatTheProviderSigned) {
    EXPECT_EQ(verdict_on(webhook_header), WebhookVerdict::valid);
    const std::string other(64, '0');
    EXPECT_EQ(verdict_on("t=1700000000,v1=" + other + ",v1=" + right_signature + ",v0=abc"), WebhookVerdict::valid);
    EXPECT_EQ(verdict_on("v1=" + right_signature + ", t=1700000000"), WebhookVerdict::valid) << "in any order";
    EXPECT_EQ(verdict_on(webhook_header + ",t2=x,v1="), WebhookVerdict::valid) << "what is not known is passed over";
    std::string upper = right_signature;
    for (char& c : upper)
        if (c >= 'a') c = static_cast<char>(c - 32);
    EXPECT_EQ(verdict_on("t=1700000000,v1=" + upper), WebhookVerdict::valid);
}

TEST(WebhookSignature, RefusesWhatItDidNot) {
    EXPECT_EQ(verdict_on(webhook_header, signed_at, webhook_body + " "), WebhookVerdict::wrong);
    EXPECT_EQ(verdict_on(webhook_header, signed_at, ""), WebhookVerdict::wrong);
    EXPECT_EQ(verdict_on(webhook_header, signed_at, webhook_body, "whsec_another"), WebhookVerdict::wrong);
    EXPECT_EQ(verdict_on(webhook_header, signed_at, webhook_body, ""), WebhookVerdict::wrong);
    EXPECT_EQ(verdict_on("t=1700000001,v1=" + right_signature), WebhookVerdict::wrong) << "the time is signed, too";
    EXPECT_EQ(verdict_on("t=01700000000,v1=" + right_signature), WebhookVerdict::wrong) << "as it is written";
    for (std::size_t i = 0; i < right_signature.size(); ++i) {
        std::string changed = right_signature;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_EQ(verdict_on("t=1700000000,v1=" + changed), WebhookVerdict::wrong) << i;
    }
    for (const std::string& cut :
         {right_signature.substr(1), right_signature.substr(0, 63), right_signature + "0", std::string()})
        EXPECT_EQ(verdict_on("t=1700000000,v1=" + cut), WebhookVerdict::wrong) << cut;
    EXPECT_EQ(verdict_on("t=1700000000,v1=zz" + right_signature.substr(2)), WebhookVerdict::wrong);
}

TEST(WebhookSignature, HoldsForATime) {
    EXPECT_EQ(verdict_on(webhook_header, signed_at + 300), WebhookVerdict::valid);
    EXPECT_EQ(verdict_on(webhook_header, signed_at + 301), WebhookVerdict::too_old);
    EXPECT_EQ(verdict_on(webhook_header, signed_at - 300), WebhookVerdict::valid);
    EXPECT_EQ(verdict_on(webhook_header, signed_at - 301), WebhookVerdict::too_early);
    EXPECT_EQ(verdict_on("t=9223372036854775807,v1=" + right_signature), WebhookVerdict::too_early);
    EXPECT_EQ(verdict_on("t=0,v1=" + right_signature), WebhookVerdict::too_old);
}

TEST(WebhookSignature, RefusesHeadersInNoKnownForm) {
    for (const char* text : {"", ",", "t", "t=", "t=1700000000", "v1", "t=1700000000,v1", "t=x,v1=ab", "t=-1,v1=ab",
                             "t=1.5,v1=ab", "t=1700000000 ,t=1700000000,v1=ab", "t=99999999999999999999,v1=ab",
                             "t=1700000000,v0=ab", "T=1700000000,v1=ab"})
        EXPECT_EQ(verdict_on(text), WebhookVerdict::malformed) << text;
    EXPECT_EQ(verdict_on("v1=" + right_signature), WebhookVerdict::malformed) << "without a time";
    EXPECT_EQ(verdict_on(webhook_header + ",v0=" + std::string(4096, 'a')), WebhookVerdict::malformed) << "too long";
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
