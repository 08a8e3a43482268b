#include "core/engine/fallback.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

constexpr Milliseconds short_time{100};

FailedAttempt answered(int status) {
    FailedAttempt attempt;
    attempt.status = status;
    attempt.request_sent = true;
    return attempt;
}

FailedAttempt ended(HttpOutcome outcome, bool request_sent = false) {
    FailedAttempt attempt;
    attempt.outcome = outcome;
    attempt.request_sent = request_sent;
    return attempt;
}

TEST(Fallback, AfterWhatTheProviderDidNotTake) {
    for (const int status : {408, 429, 500, 502, 503, 529}) EXPECT_TRUE(may_fall_back(answered(status))) << status;
    for (const int status : {200, 400, 401, 403, 404, 422}) EXPECT_FALSE(may_fall_back(answered(status))) << status;
    for (const HttpOutcome outcome : {HttpOutcome::resolve_failed, HttpOutcome::connect_failed,
                                      HttpOutcome::connect_timeout, HttpOutcome::tls_failed})
        EXPECT_TRUE(may_fall_back(ended(outcome)));
}

TEST(Fallback, NeverWhenTheOutcomeIsUnknown) {
    for (const HttpOutcome outcome : {HttpOutcome::broken, HttpOutcome::total_timeout, HttpOutcome::idle_timeout,
                                      HttpOutcome::protocol_error, HttpOutcome::aborted, HttpOutcome::too_large})
        EXPECT_FALSE(may_fall_back(ended(outcome, true)));
    EXPECT_FALSE(may_fall_back(ended(HttpOutcome::connect_failed, true)));
}

TEST(Fallback, NeverOnceReadersHaveText) {
    FailedAttempt attempt = answered(503);
    attempt.has_text = true;
    EXPECT_FALSE(may_fall_back(attempt));
}

TEST(ProviderHealth, AProviderThatAnswersIsWellUnlessItFails) {
    for (const int status : {200, 400, 401, 404, 429})
        EXPECT_EQ(provider_health(answered(status), short_time), ProviderHealth::answers);
    for (const int status : {500, 503, 599})
        EXPECT_EQ(provider_health(answered(status), short_time), ProviderHealth::fails);
    FailedAttempt broken = answered(200);
    broken.outcome = HttpOutcome::broken;
    EXPECT_EQ(provider_health(broken, short_time), ProviderHealth::answers);
}

TEST(ProviderHealth, WhatCannotBeReachedFails) {
    for (const HttpOutcome outcome : {HttpOutcome::resolve_failed, HttpOutcome::connect_failed, HttpOutcome::tls_failed,
                                      HttpOutcome::broken, HttpOutcome::protocol_error})
        EXPECT_EQ(provider_health(ended(outcome), short_time), ProviderHealth::fails);
}

TEST(ProviderHealth, ATimeOutCountsAfterALongSilenceOnly) {
    for (const HttpOutcome outcome :
         {HttpOutcome::total_timeout, HttpOutcome::connect_timeout, HttpOutcome::idle_timeout}) {
        EXPECT_EQ(provider_health(ended(outcome), longest_silence - Milliseconds(1)), ProviderHealth::unknown);
        EXPECT_EQ(provider_health(ended(outcome), longest_silence), ProviderHealth::fails);
    }
}

TEST(ProviderHealth, OurOwnRefusalSaysNothing) {
    for (const HttpOutcome outcome : {HttpOutcome::invalid_request, HttpOutcome::address_refused, HttpOutcome::aborted})
        EXPECT_EQ(provider_health(ended(outcome), longest_silence), ProviderHealth::unknown);
}

}  // namespace
}  // namespace pgchat
