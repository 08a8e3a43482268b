#include "core/engine/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include "support/fake_clock.hpp"

namespace pgchat {
namespace {

class CircuitBreakerTest : public testing::Test {
protected:
    // An attempt that begins and fails now.
    void fail(double random = 1.0) { breaker.failed(policy, breaker.begin(clock.time), clock.time, random); }
    void fail_times(int times) {
        for (int i = 0; i < times; ++i) fail();
    }
    Milliseconds pause() const { return std::chrono::duration_cast<Milliseconds>(breaker.retry_at() - clock.time); }

    FakeClock clock;
    BreakerPolicy policy{3, Milliseconds(1'000), Milliseconds(5'000)};
    CircuitBreaker breaker;
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARow) {
    fail_times(2);
    breaker.succeeded(breaker.begin(clock.time));
    fail_times(2);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_TRUE(breaker.may_begin(clock.time));
    fail();
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_FALSE(breaker.may_begin(clock.time));
    EXPECT_EQ(pause(), Milliseconds(1'000));
}

TEST_F(CircuitBreakerTest, OneProbeAtATimeAfterThePause) {
    fail_times(3);
    clock.advance(Milliseconds(999));
    EXPECT_FALSE(breaker.may_begin(clock.time));
    clock.advance(Milliseconds(1));
    ASSERT_TRUE(breaker.may_begin(clock.time));
    const CircuitBreaker::Permit probe = breaker.begin(clock.time);
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
    EXPECT_FALSE(breaker.may_begin(clock.time));
    breaker.succeeded(probe);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_TRUE(breaker.may_begin(clock.time));
    fail_times(2);
    EXPECT_EQ(breaker.state(), BreakerState::closed) << "failures are counted anew";
}

TEST_F(CircuitBreakerTest, ThePauseDoublesUpToItsBound) {
    fail_times(3);
    for (const int expected : {2'000, 4'000, 5'000, 5'000}) {
        clock.time = breaker.retry_at();
        fail();
        EXPECT_EQ(breaker.state(), BreakerState::open);
        EXPECT_EQ(pause(), Milliseconds(expected));
    }
    clock.time = breaker.retry_at();
    breaker.succeeded(breaker.begin(clock.time));
    fail_times(3);
    EXPECT_EQ(pause(), Milliseconds(1'000)) << "once it was closed, from the beginning";
}

TEST_F(CircuitBreakerTest, ThePauseIsSpread) {
    fail_times(2);
    fail(0.0);
    EXPECT_EQ(pause(), Milliseconds(500));
}

TEST_F(CircuitBreakerTest, AProbeThatEndsOtherwiseLeavesTheNextOne) {
    fail_times(3);
    clock.time = breaker.retry_at();
    breaker.abandoned(breaker.begin(clock.time), clock.time);
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_TRUE(breaker.may_begin(clock.time));
}

TEST_F(CircuitBreakerTest, ASilentProbeIsFollowedByAnother) {
    fail_times(3);
    clock.time = breaker.retry_at();
    const CircuitBreaker::Permit silent = breaker.begin(clock.time);
    clock.advance(Milliseconds(1'000));
    ASSERT_TRUE(breaker.may_begin(clock.time));
    breaker.succeeded(breaker.begin(clock.time));
    breaker.failed(policy, silent, clock.time, 1.0);
    EXPECT_EQ(breaker.state(), BreakerState::closed) << "what the earlier one finds out is old";
}

TEST_F(CircuitBreakerTest, WhatBeganEarlierChangesNothing) {
    const CircuitBreaker::Permit before = breaker.begin(clock.time);
    fail_times(3);
    breaker.succeeded(before);
    breaker.abandoned(before, clock.time);
    EXPECT_EQ(breaker.state(), BreakerState::open);
    clock.time = breaker.retry_at();
    breaker.succeeded(breaker.begin(clock.time));
    for (int i = 0; i < 10; ++i) breaker.failed(policy, before, clock.time, 1.0);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST_F(CircuitBreakerTest, WithoutAThresholdItNeverOpens) {
    policy.failures = 0;
    fail_times(1'000);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST_F(CircuitBreakerTest, StatesHaveNames) {
    EXPECT_STREQ(breaker_state_name(BreakerState::closed), "closed");
    EXPECT_STREQ(breaker_state_name(BreakerState::open), "open");
    EXPECT_STREQ(breaker_state_name(BreakerState::half_open), "half_open");
}

}  // namespace
}  // namespace pgchat
