// The limits of accounts, as calls meet them.
#include <gtest/gtest.h>

#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

constexpr std::int64_t unit = 1'000'000'000'000;

class EngineLimitsTest : public FakeEngineTest {
protected:
    Account& account() { return *engine.accounts().find_any(fake_spec(1).user_id); }
    Account& installation() { return *engine.accounts().find_any(Uuid{}); }
    Call& submit_with(std::uint64_t number, std::int64_t max_tokens, bool may_wait = false) {
        CallSpec spec = fake_spec(number, false);
        spec.request.options.max_tokens = max_tokens;
        spec.may_wait = may_wait;
        return engine.submit(std::move(spec));
    }
    ErrorCode refusal(std::uint64_t number) {
        EXPECT_TRUE(find(number)->is_finished()) << number;
        EXPECT_EQ(find(number)->attempts(), 0) << "a refused call is not sent";
        return find(number)->is_finished() ? find(number)->result().error->code() : ErrorCode::internal;
    }
    void answer(Transport::Id id, int input, int output) {
        network.answer(id, 200,
                       R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":)" +
                           std::to_string(input) + R"(,"completion_tokens":)" + std::to_string(output) + "}}");
        engine.run();
    }
};

TEST_F(EngineLimitsTest, RequestsOverTheRateAreRefused) {
    account().limits.requests_per_minute = 2;
    for (std::uint64_t i = 1; i <= 3; ++i) submit(i);
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u);
    EXPECT_EQ(refusal(3), ErrorCode::rate_limit_reached);
    EXPECT_EQ(engine.counters().refused_by_rate, 1u);
    run_at(60'000);
    submit(4);
    engine.run();
    EXPECT_EQ(find(4)->attempts(), 1);
}

TEST_F(EngineLimitsTest, CallsAtOnceAreRefusedOrWait) {
    account().limits.concurrent_calls = 2;
    submit_with(1, 10);
    submit_with(2, 10);
    submit_with(3, 10);
    submit_with(4, 10, true);
    submit_with(5, 10, true);
    engine.run();
    EXPECT_EQ(refusal(3), ErrorCode::concurrency_limit_reached);
    EXPECT_EQ(network.requests.size(), 2u);
    EXPECT_EQ(find(4)->stage, CallStage::held);
    answer(1, 1, 1);
    engine.run();
    EXPECT_EQ(find(4)->attempts(), 1);
    EXPECT_EQ(find(5)->attempts(), 0);
    engine.cancel(*find(5));
    EXPECT_EQ(engine.waiting(), 0u);
    engine.cancel(*find(2));
    engine.cancel(*find(4));
    EXPECT_EQ(account().usage.running, 0);
    submit_with(6, 10);
    engine.run();
    EXPECT_EQ(find(6)->attempts(), 1);
}

TEST_F(EngineLimitsTest, ARaisedLimitLetsThoseGoOnThatWait) {
    account().limits.concurrent_calls = 0;
    for (std::uint64_t i = 1; i <= 20; ++i) submit_with(i, 10, true);
    EXPECT_EQ(engine.saturated_users(), (std::vector<Uuid>{fake_spec(1).user_id}));
    Account raised;
    raised.limits.concurrent_calls = 15;
    engine.accounts().put(fake_spec(1).user_id, std::move(raised), 0);
    engine.accounts_loaded({fake_spec(1).user_id});
    engine.run();
    EXPECT_EQ(network.requests.size(), 15u);
    EXPECT_TRUE(engine.saturated_users().empty());
}

TEST_F(EngineLimitsTest, CallsThatRunBesideEachOtherCannotSpendMoreThanTheBudget) {
    // Each may cost (4 + 10 * 2) / 1,000,000: the prompt is estimated at 4 tokens.
    account().limits.cost_per_month = 10 * 24 * unit / 1'000'000;
    for (std::uint64_t i = 1; i <= 200; ++i) submit_with(i, 10);
    engine.run();
    EXPECT_EQ(network.requests.size(), 10u);
    EXPECT_EQ(refusal(200), ErrorCode::budget_exhausted);
    EXPECT_EQ(engine.counters().refused_by_budget, 190u);
    for (Transport::Id id = 1; id <= 10; ++id) answer(id, 4, 10);
    EXPECT_EQ(account().usage.cost, *account().limits.cost_per_month);
    EXPECT_EQ(account().usage.reserved_cost, 0);
    submit_with(201, 1);
    engine.run();
    EXPECT_EQ(refusal(201), ErrorCode::budget_exhausted);
}

TEST_F(EngineLimitsTest, TheInstallationsBudgetIsEverybodys) {
    installation().limits.cost_per_month = 24 * unit / 1'000'000;
    submit_with(1, 10);
    CallSpec operators = fake_spec(2, false);
    operators.user_id = {};
    operators.request.options.max_tokens = 1;
    engine.submit(std::move(operators));
    engine.run();
    EXPECT_EQ(network.requests.size(), 1u);
    EXPECT_EQ(refusal(2), ErrorCode::budget_exhausted);
    EXPECT_EQ(find(2)->result().error->what(),
              std::string("the budget of this installation for the month leaves no room for this call"));
    answer(1, 2, 2);
    EXPECT_EQ(installation().usage.cost, 6 * unit / 1'000'000);
    EXPECT_EQ(account().usage.cost, 6 * unit / 1'000'000);
}

TEST_F(EngineLimitsTest, TokensOfTheDayAreLimited) {
    account().limits.tokens_per_day = 30;
    submit_with(1, 20);
    submit_with(2, 20);
    engine.run();
    EXPECT_EQ(refusal(2), ErrorCode::token_limit_reached);
    answer(1, 4, 5);
    submit_with(3, 17);
    engine.run();
    EXPECT_EQ(find(3)->attempts(), 1);
    engine.cancel(*find(3));
    EXPECT_GT(account().usage.tokens, 9) << "what was cut off is estimated";
    run_at(86'400'000);
    submit_with(4, 26);
    engine.run();
    EXPECT_EQ(find(4)->attempts(), 1) << "a new day";
}

TEST_F(EngineLimitsTest, EachAttemptIsChargedAndRecordedByItself) {
    account().limits.cost_per_month = unit;
    submit_with(1, 10);
    engine.run();
    network.answer(1, 503, "", "1");
    engine.run();
    EXPECT_EQ(account().usage.reserved_cost, 0) << "nothing is set aside between attempts";
    run_at(1'000);
    EXPECT_GT(account().usage.reserved_cost, 0);
    answer(2, 3, 4);
    const std::vector<Attempt>& attempts = find(1)->result().attempts;
    ASSERT_EQ(attempts.size(), 2u);
    EXPECT_EQ(attempts[0].number, 1);
    EXPECT_EQ(attempts[0].status, CallStatus::error);
    EXPECT_EQ(attempts[0].error, ErrorCode::provider_failed);
    EXPECT_EQ(attempts[0].cost, 0);
    EXPECT_EQ(attempts[1].number, 2);
    EXPECT_EQ(attempts[1].status, CallStatus::complete);
    EXPECT_FALSE(attempts[1].estimated);
    EXPECT_EQ(attempts[1].cost, 11 * unit / 1'000'000);
    EXPECT_EQ(find(1)->result().cost, attempts[1].cost);
    EXPECT_EQ(account().usage.cost, attempts[1].cost);
}

TEST_F(EngineLimitsTest, ACallThatCannotBeWrittenLeavesNothingSetAside) {
    account().limits.cost_per_month = unit;
    CallSpec spec = fake_spec(1, true, ProviderKind::echo);
    spec.request.options.extra = Json::parse(R"({"echo":{"no_such_setting":1}})");
    engine.submit(std::move(spec));
    engine.run();
    EXPECT_TRUE(find(1)->is_finished());
    EXPECT_EQ(account().usage.reserved_cost, 0);
    EXPECT_EQ(account().usage.running, 0);
}

TEST_F(EngineLimitsTest, AKeyOfTheUsersOwnMayCostThemNothing) {
    const auto submit_with_own_key = [&](std::uint64_t number) {
        Call& call = submit(number, false);
        call.use(call.spec().model, call.spec().provider, true);
        engine.run();
    };
    account().limits.cost_per_month = 0;
    submit_with_own_key(1);
    answer(1, 4, 10);
    EXPECT_EQ(find(1)->result().status, CallStatus::complete);
    EXPECT_EQ(account().usage.cost, 0);
    EXPECT_GT(find(1)->result().cost, 0) << "what it cost is known all the same";
    account().limits.own_keys_exempt = false;
    submit_with_own_key(2);
    EXPECT_EQ(refusal(2), ErrorCode::budget_exhausted);
}

TEST_F(EngineLimitsTest, ACallThatIsCutOffIsChargedByEstimate) {
    submit_with(1, 1'000);
    submit(2);
    engine.run();
    clock.advance(Milliseconds(2'000));
    engine.cancel(*find(1));
    engine.cancel(*find(2));
    const Attempt& whole = find(1)->result().attempts.at(0);
    EXPECT_TRUE(whole.estimated);
    EXPECT_EQ(whole.usage.input_tokens, 4);
    EXPECT_EQ(whole.usage.output_tokens, 200) << "a reply that comes as a whole may have been written meanwhile";
    EXPECT_EQ(find(2)->result().attempts.at(0).usage.output_tokens, 0) << "of a stream something would have come";
    submit(3);
    engine.run();
    network.end(network.last_id, HttpOutcome::connect_failed, false);
    engine.run();
    EXPECT_EQ(account().usage.tokens, 4 + 200 + 4) << "what was not sent costs nothing";
}

}  // namespace
}  // namespace pgchat
