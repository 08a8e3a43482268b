#include "core/engine/retry_policy.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

FailedAttempt attempt_answered(int status, int number = 1) {
    FailedAttempt attempt;
    attempt.status = status;
    attempt.number = number;
    attempt.request_sent = true;
    return attempt;
}

FailedAttempt failed(HttpOutcome outcome, bool request_sent) {
    FailedAttempt attempt;
    attempt.outcome = outcome;
    attempt.request_sent = request_sent;
    return attempt;
}

TEST(RetryPolicy, RetriesStatusesThatPass) {
    for (const int status : {408, 429, 500, 502, 503, 504, 529, 599})
        EXPECT_TRUE(retry_delay({}, attempt_answered(status), 0.5)) << status;
    for (const int status : {200, 301, 400, 401, 403, 404, 409, 413, 422, 499, 600})
        EXPECT_FALSE(retry_delay({}, attempt_answered(status), 0.5)) << status;
}

TEST(RetryPolicy, RetriesFailuresBeforeTheRequestWasSentOnly) {
    for (const HttpOutcome outcome :
         {HttpOutcome::resolve_failed, HttpOutcome::connect_failed, HttpOutcome::connect_timeout}) {
        EXPECT_TRUE(retry_delay({}, failed(outcome, false), 0.5));
        EXPECT_FALSE(retry_delay({}, failed(outcome, true), 0.5));
    }
    for (const HttpOutcome outcome :
         {HttpOutcome::broken, HttpOutcome::idle_timeout, HttpOutcome::total_timeout, HttpOutcome::protocol_error,
          HttpOutcome::too_large, HttpOutcome::aborted, HttpOutcome::invalid_request, HttpOutcome::address_refused,
          HttpOutcome::tls_failed})
        for (const bool sent : {false, true}) EXPECT_FALSE(retry_delay({}, failed(outcome, sent), 0.5));
}

TEST(RetryPolicy, NeverOnceReadersHaveText) {
    FailedAttempt attempt = attempt_answered(500);
    attempt.has_text = true;
    EXPECT_FALSE(retry_delay({}, attempt, 0.5));
}

TEST(RetryPolicy, GivesUpAfterTheLastRetry) {
    RetryPolicy policy;
    policy.max_retries = 2;
    EXPECT_TRUE(retry_delay(policy, attempt_answered(500, 1), 0));
    EXPECT_TRUE(retry_delay(policy, attempt_answered(500, 2), 0));
    EXPECT_FALSE(retry_delay(policy, attempt_answered(500, 3), 0));
    policy.max_retries = 0;
    EXPECT_FALSE(retry_delay(policy, attempt_answered(500, 1), 0));
}

TEST(RetryPolicy, TheDelayDoublesUpToItsLimit) {
    RetryPolicy policy;
    policy.max_retries = 1'000'000;
    EXPECT_EQ(retry_delay(policy, attempt_answered(500, 1), 1), Milliseconds(500));
    EXPECT_EQ(retry_delay(policy, attempt_answered(500, 2), 1), Milliseconds(1'000));
    EXPECT_EQ(retry_delay(policy, attempt_answered(500, 4), 1), Milliseconds(4'000));
    for (const int number : {7, 8, 30, 64, 100'000})
        EXPECT_EQ(retry_delay(policy, attempt_answered(500, number), 1), Milliseconds(30'000));
}

TEST(RetryPolicy, ChanceTakesUpToHalfOfTheDelay) {
    EXPECT_EQ(retry_delay({}, attempt_answered(500), 0), Milliseconds(250));
    EXPECT_EQ(retry_delay({}, attempt_answered(500), 0.5), Milliseconds(375));
    EXPECT_EQ(retry_delay({}, attempt_answered(500), 1), Milliseconds(500));
}

TEST(RetryPolicy, RetryAfterIsALowerBoundUpToItsLimit) {
    FailedAttempt attempt = attempt_answered(429);
    attempt.retry_after = Milliseconds(7'000);
    EXPECT_EQ(retry_delay({}, attempt, 1), Milliseconds(7'000));
    attempt.retry_after = Milliseconds(0);
    EXPECT_EQ(retry_delay({}, attempt, 1), Milliseconds(500));
    attempt.retry_after = Milliseconds(120'000);
    EXPECT_EQ(retry_delay({}, attempt, 1), Milliseconds(120'000));
    attempt.retry_after = Milliseconds(120'001);
    EXPECT_FALSE(retry_delay({}, attempt, 1));
}

}  // namespace
}  // namespace pgchat
