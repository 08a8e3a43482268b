// Secrets on their way: only their receiver opens them, and only unchanged.
#include "core/crypto/envelope.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"

namespace pgchat {
namespace {

std::string envelope_refusal(const EnvelopeReceiver& receiver, std::string_view envelope) {
    try {
        receiver.open(envelope);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::engine_unavailable);
        EXPECT_FALSE(error.hint().empty());
        return error.what();
    }
    return "";
}

TEST(Envelope, ItsReceiverOpensIt) {
    const EnvelopeReceiver receiver;
    for (const std::string& secret :
         {std::string(), std::string("sk-secret"), std::string("\0\xff", 2), std::string(100'000, 'x')}) {
        const std::string envelope = put_in_envelope(receiver.address(), secret);
        EXPECT_EQ(receiver.open(envelope).view(), secret);
        EXPECT_EQ(envelope.size(), secret.size() + 48);
        EXPECT_TRUE(secret.empty() || envelope.find(secret) == std::string::npos);
    }
}

TEST(Envelope, NobodyElseDoes) {
    const EnvelopeReceiver receiver, other;
    EXPECT_NE(receiver.address(), other.address());
    EXPECT_NE(envelope_refusal(other, put_in_envelope(receiver.address(), "secret")), "");
}

TEST(Envelope, NoTwoAreAlike) {
    const EnvelopeReceiver receiver;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(put_in_envelope(receiver.address(), "secret"));
    EXPECT_EQ(seen.size(), 100u);
}

TEST(Envelope, OneThatWasChangedIsRefused) {
    const EnvelopeReceiver receiver;
    const std::string envelope = put_in_envelope(receiver.address(), "secret");
    for (std::size_t at = 0; at < envelope.size(); ++at) {
        std::string changed = envelope;
        changed[at] ^= 1;
        EXPECT_NE(envelope_refusal(receiver, changed), "") << at;
        EXPECT_NE(envelope_refusal(receiver, std::string_view(envelope).substr(0, at)), "") << at;
    }
    EXPECT_NE(envelope_refusal(receiver, envelope + "x"), "");
    EXPECT_NE(envelope_refusal(receiver, std::string(80, '\0')), "") << "a public key that agrees on nothing";
}

}  // namespace
}  // namespace pgchat
