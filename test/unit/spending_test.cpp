#include "core/engine/spending.hpp"

#include <gtest/gtest.h>

#include <random>

namespace pgchat {
namespace {

constexpr std::int64_t noon = 1'767'268'800;  // 2026-01-01 12:00:00 UTC
constexpr std::int64_t day = 86'400;

Estimate estimate(Charge least, Charge most, bool is_limit = true) {
    return {least, most, is_limit};
}

// The error that `function` throws, or fails the test.
template <class Function>
Error error_from(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::internal, "");
}

TEST(SpendingTest, RequestsOfTheLastMinuteAreCounted) {
    Account account;
    account.limits.requests_per_minute = 3;
    const TimePoint begin{std::chrono::hours(1)};
    for (int second : {0, 10, 20}) count_request(account, begin + std::chrono::seconds(second), noon + second);
    const Error refused =
        error_from([&] { count_request(account, begin + std::chrono::milliseconds(30'500), noon + 30); });
    EXPECT_EQ(refused.code(), ErrorCode::rate_limit_reached);
    EXPECT_STREQ(refused.what(), "the limit of 3 requests a minute is reached");
    EXPECT_EQ(refused.hint(), "The next one can be made at 2026-01-01 12:01:00 UTC.");
    EXPECT_THROW(count_request(account, begin + std::chrono::milliseconds(59'999), noon + 59), Error);
    count_request(account, begin + std::chrono::seconds(60), noon + 60);
    EXPECT_THROW(count_request(account, begin + std::chrono::seconds(60), noon + 60), Error);
    count_request(account, begin + std::chrono::seconds(70), noon + 70);
    account.limits.requests_per_minute = 1;
    EXPECT_EQ(error_from([&] { count_request(account, begin + std::chrono::seconds(75), noon + 75); }).hint(),
              "The next one can be made at 2026-01-01 12:02:10 UTC.")
        << "a limit that was lowered waits for as many as are too many";
    account.limits.requests_per_minute = 0;
    EXPECT_THROW(count_request(account, begin + std::chrono::hours(1), noon), Error);
    account.limits.requests_per_minute.reset();
    count_request(account, begin + std::chrono::hours(1), noon);
}

TEST(SpendingTest, WhatIsSetAsideIsNotLeftForOthers) {
    Account account;
    account.limits.cost_per_month = 100;
    const Charge first = fit(account, estimate({1, 10}, {1, 40}), Payer::user, noon);
    set_aside(account, first);
    set_aside(account, fit(account, estimate({1, 10}, {1, 40}), Payer::user, noon));
    const Error refused = error_from([&] { fit(account, estimate({1, 10}, {1, 40}), Payer::user, noon); });
    EXPECT_EQ(refused.code(), ErrorCode::budget_exhausted);
    EXPECT_NE(refused.hint().find("2026-02-01 00:00:00 UTC"), std::string::npos) << refused.hint();
    EXPECT_NE(refused.hint().find("set aside"), std::string::npos) << refused.hint();
    settle(account, first, {1, 15}, noon);
    EXPECT_EQ(account.usage.cost, 15);
    EXPECT_EQ(account.usage.reserved_cost, 40);
    EXPECT_EQ(fit(account, estimate({1, 10}, {1, 40}), Payer::user, noon).cost, 40);
    EXPECT_THROW(fit(account, estimate({1, 10}, {1, 46}), Payer::user, noon), Error);
}

TEST(SpendingTest, AReplyWithoutALimitOfItsOwnGetsWhatIsLeft) {
    Account account;
    account.limits.tokens_per_day = 1'000;
    const Charge all = fit(account, estimate({300, 0}, {4'396, 0}, false), Payer::user, noon);
    EXPECT_EQ(all.tokens, 1'000);
    set_aside(account, all);
    EXPECT_EQ(error_from([&] {
                  fit(account, estimate({1, 0}, {4'097, 0}, false), Payer::user, noon);
              }).code(),
              ErrorCode::token_limit_reached);
    settle(account, all, {750, 0}, noon);
    EXPECT_EQ(fit(account, estimate({200, 0}, {4'296, 0}, false), Payer::user, noon).tokens, 250);
    EXPECT_THROW(fit(account, estimate({251, 0}, {4'347, 0}, false), Payer::user, noon), Error)
        << "the prompt alone is too long";
    EXPECT_THROW(fit(account, estimate({200, 0}, {4'296, 0}, true), Payer::user, noon), Error);
}

TEST(SpendingTest, DaysAndMonthsBeginAnew) {
    Account account;
    account.limits.tokens_per_day = 100;
    account.limits.cost_per_month = 100;
    set_aside(account, fit(account, estimate({1, 1}, {60, 60}), Payer::user, noon));
    settle(account, {60, 60}, {60, 60}, noon);
    EXPECT_EQ(error_from([&] {
                  fit(account, estimate({1, 1}, {60, 1}), Payer::user, noon);
              })
                  .hint()
                  .substr(0, 43),
              "It begins anew at 2026-01-02 00:00:00 UTC. ");
    EXPECT_EQ(fit(account, estimate({1, 1}, {60, 40}), Payer::user, noon + day).tokens, 60);
    EXPECT_THROW(fit(account, estimate({1, 1}, {60, 41}), Payer::user, noon + day), Error);
    EXPECT_EQ(fit(account, estimate({1, 1}, {60, 100}), Payer::user, noon + 31 * day).cost, 100);
}

TEST(SpendingTest, ASmallerCallIsProposedOnlyWhereItFits) {
    Account account;
    account.limits.tokens_per_day = 100;
    const auto hint = [&](const Estimate& wanted) {
        return error_from([&] { fit(account, wanted, Payer::user, noon); }).hint();
    };
    const std::string begins = "It begins anew at 2026-01-02 00:00:00 UTC.";
    EXPECT_EQ(hint(estimate({60, 0}, {160, 0})), begins + " A smaller max_tokens may fit.");
    EXPECT_EQ(hint(estimate({101, 0}, {160, 0})), begins) << "the prompt alone is too long";
    settle(account, {}, {100, 100}, noon);
    EXPECT_EQ(hint(estimate({0, 0}, {1, 0})), begins) << "nothing is left";
    account.limits.tokens_per_day.reset();
    account.limits.cost_per_month = 150;
    const std::string month_begins = "It begins anew at 2026-02-01 00:00:00 UTC. ";
    EXPECT_EQ(hint(estimate({1, 50}, {1, 60})),
              month_begins + "A smaller max_tokens may fit; an administrator can raise it with chat.admin_set_budget.");
    settle(account, {}, {0, 50}, noon);
    EXPECT_EQ(hint(estimate({1, 0}, {1, 60})),
              month_begins + "An administrator can raise it with chat.admin_set_budget.");
}

TEST(SpendingTest, WhatCostsNothingNeedsNoBudget) {
    Account account;
    account.limits.cost_per_month = 0;
    EXPECT_EQ(fit(account, estimate({5, 0}, {50, 0}), Payer::user, noon).cost, 0);
    EXPECT_THROW(fit(account, estimate({5, 0}, {50, 1}, false), Payer::user, noon), Error);
}

TEST(SpendingTest, NothingOverflows) {
    Account account;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    settle(account, {}, {most, most}, noon);
    settle(account, {}, {most, most}, noon);
    EXPECT_EQ(account.usage.cost, most);
    account.limits.cost_per_month = most;
    EXPECT_THROW(fit(account, estimate({1, 1}, {1, most}), Payer::user, noon), Error);
}

// Whatever happens in whatever order, no more is sent than fits, and in the end nothing is set aside.
TEST(SpendingTest, RandomCallsNeverPassTheLimit) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        Account account;
        account.limits.tokens_per_day = 10'000;
        account.limits.cost_per_month = 5'000;
        std::vector<Charge> open;
        Charge spent;
        for (int step = 0; step < 2'000; ++step) {
            if (random() % 2 == 0) {
                const Charge most{static_cast<std::int64_t>(random() % 500), static_cast<std::int64_t>(random() % 300)};
                try {
                    open.push_back(fit(account, estimate({0, 0}, most, random() % 2 == 0), Payer::user, noon));
                    set_aside(account, open.back());
                } catch (const Error&) {
                    EXPECT_TRUE(account.usage.tokens + account.usage.reserved_tokens + most.tokens > 10'000 ||
                                account.usage.cost + account.usage.reserved_cost + most.cost > 5'000);
                }
            } else if (!open.empty()) {
                const Charge reserved = open.back();
                open.pop_back();
                const Charge used{reserved.tokens - reserved.tokens / 3, reserved.cost / 2};
                settle(account, reserved, used, noon);
                spent.tokens += used.tokens;
                spent.cost += used.cost;
            }
            EXPECT_LE(account.usage.tokens + account.usage.reserved_tokens, 10'000);
            EXPECT_LE(account.usage.cost + account.usage.reserved_cost, 5'000);
        }
        for (const Charge& reserved : open) settle(account, reserved, {}, noon);
        EXPECT_EQ(account.usage.reserved_tokens, 0);
        EXPECT_EQ(account.usage.reserved_cost, 0);
        EXPECT_EQ(account.usage.tokens, spent.tokens);
        EXPECT_EQ(account.usage.cost, spent.cost);
    }
}

}  // namespace
}  // namespace pgchat
