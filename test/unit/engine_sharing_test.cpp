// Calls with options.cache in the engine: kept replies, and identical calls that wait for one of them.
#include <gtest/gtest.h>

#include "core/engine/engine.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_providers.hpp"

namespace pgchat {
namespace {

class EngineSharingTest : public FakeEngineTest {
protected:
    Call& submit_cached(std::uint64_t number, std::uint64_t user = 1, const std::string& text = "Hello, you") {
        CallSpec spec = fake_spec_of(number, user, acme);
        spec.request.messages[0].content = text;
        spec.request.options.cache = true;
        spec.request.options.cache_ttl_s = ttl_s;
        return submit_spec(std::move(spec));
    }
    // The newest request is answered.
    void answer(const std::string& text = "Hi") {
        network.answer(network.last_id, 200,
                       openai_thinking("Hm") + openai_content(text) + openai_usage(10, 5) + openai_done());
        engine.run();
    }
    void expect_cached(std::uint64_t number, const std::string& text = "Hi") {
        ASSERT_TRUE(find(number)->is_finished()) << number;
        const CallResult& result = find(number)->result();
        EXPECT_EQ(result.status, CallStatus::complete);
        EXPECT_TRUE(result.cached);
        EXPECT_EQ(result.cost, 0);
        EXPECT_EQ(result.usage.input_tokens, 0);
        EXPECT_EQ(result.finish_reason, "stop");
        EXPECT_EQ(find(number)->log().content(), text);
        EXPECT_EQ(find(number)->log().thinking(), "Hm");
        EXPECT_EQ(find(number)->attempts(), 0);
    }

    std::shared_ptr<const ModelEntry> acme = fake_model_of("acme", "small");
    std::optional<std::int64_t> ttl_s;
};

TEST_F(EngineSharingTest, TheSameAgainIsAnsweredFromMemory) {
    submit_cached(1);
    engine.run();
    answer();
    EXPECT_FALSE(find(1)->result().cached);
    EXPECT_GT(find(1)->result().cost, 0);
    submit_cached(2);
    engine.run();
    expect_cached(2);
    EXPECT_EQ(network.requests.size(), 1u);
    listener.settle(engine);
    EXPECT_EQ(events(2), (std::vector<std::string>{"thinking:Hm", "content:Hi", "done:"}));
}

TEST_F(EngineSharingTest, OnlyWhatIsTheSame) {
    submit_cached(1);
    engine.run();
    answer();
    submit_cached(2, 1, "Hello");
    submit_cached(3, 2);
    CallSpec other = fake_spec_of(4, 1, acme);
    other.request.options.cache = true;
    other.request.options.temperature = 0.5;
    submit_spec(std::move(other));
    CallSpec elsewhere = fake_spec_of(5, 1, fake_model_of("zeta", "small"));
    elsewhere.request.options.cache = true;
    submit_spec(std::move(elsewhere));
    submit_spec(fake_spec_of(6, 1, acme));
    engine.run();
    EXPECT_EQ(network.requests.size(), 6u) << "other text, user, option, provider; and one that does not ask for it";
}

TEST_F(EngineSharingTest, WhetherItIsStreamedDoesNotMatter) {
    submit_cached(1);
    engine.run();
    answer();
    CallSpec spec = fake_spec_of(2, 1, acme);
    spec.stream = false;
    spec.request.options.cache = true;
    submit_spec(std::move(spec));
    engine.run();
    expect_cached(2);
}

TEST_F(EngineSharingTest, AcrossUsersOnlyWhereTheOperatorSaysSo) {
    limits.sharing.across_users = true;
    engine.set_limits(limits);
    submit_cached(1, 1);
    engine.run();
    answer();
    submit_cached(2, 2);
    engine.run();
    expect_cached(2);
    limits.sharing.across_users = false;
    engine.set_limits(limits);
    submit_cached(3, 3);
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u) << "and no longer once that is withdrawn";
}

TEST_F(EngineSharingTest, NoOlderThanTheCallAllows) {
    submit_cached(1);
    engine.run();
    answer();
    clock.advance(Milliseconds(10'000));
    ttl_s = 10;
    submit_cached(2);
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u);
    ttl_s = 11;
    answer("new");
    submit_cached(3);
    engine.run();
    expect_cached(3, "new");
}

TEST_F(EngineSharingTest, WhatIsNotCompleteIsNotKept) {
    submit_cached(1);
    engine.run();
    network.head(1, 200);
    network.body(1, openai_content("Hi"));
    network.end(1, HttpOutcome::broken);
    engine.run();
    submit_cached(2);
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u);
}

TEST_F(EngineSharingTest, TheReplyOfAFallbackIsNotKept) {
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    CallSpec spec = fake_spec_of(1, 1, acme);
    spec.request.options.cache = true;
    spec.fallbacks = {fake_model_of("zeta", "other")};
    submit_spec(std::move(spec));
    engine.run();
    network.answer(1, 503, "");
    engine.run();
    answer();
    ASSERT_EQ(find(1)->result().status, CallStatus::complete);
    submit_cached(2);
    engine.run();
    EXPECT_EQ(network.requests.size(), 3u);
}

TEST_F(EngineSharingTest, IdenticalCallsCollapseIntoOne) {
    for (std::uint64_t i = 1; i <= 100; ++i) submit_cached(i);
    engine.run();
    EXPECT_EQ(network.requests.size(), 1u);
    EXPECT_EQ(engine.in_flight(), 1u);
    EXPECT_EQ(engine.waiting(), 99u);
    answer();
    for (std::uint64_t i = 2; i <= 100; ++i) expect_cached(i);
    EXPECT_EQ(engine.waiting(), 0u);
    EXPECT_EQ(engine.counters().completed, 100u);
}

TEST_F(EngineSharingTest, WithoutMemoryTheyStillCollapse) {
    limits.sharing.max_bytes = 0;
    engine.set_limits(limits);
    submit_cached(1);
    submit_cached(2);
    engine.run();
    answer();
    expect_cached(2);
    submit_cached(3);
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u);
}

TEST_F(EngineSharingTest, WhereTheLeaderFailsTheOthersGoOnThemselves) {
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 3; ++i) submit_cached(i);
    engine.run();
    network.answer(1, 400, "");
    engine.run();
    EXPECT_EQ(find(1)->result().status, CallStatus::error);
    EXPECT_EQ(network.requests.size(), 3u);
    network.answer(2, 200, openai_content("a") + openai_done());
    network.answer(3, 200, openai_content("b") + openai_done());
    engine.run();
    EXPECT_EQ(find(2)->log().content(), "a");
    EXPECT_EQ(find(3)->log().content(), "b");
}

TEST_F(EngineSharingTest, WhereTheLeaderIsCancelledTheNextOneLeads) {
    for (std::uint64_t i = 1; i <= 4; ++i) submit_cached(i);
    engine.run();
    engine.cancel(*find(3));
    engine.cancel(*find(1));
    EXPECT_EQ(find(1)->result().status, CallStatus::cancelled);
    EXPECT_FALSE(find(2)->is_finished());
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u);
    answer();
    EXPECT_FALSE(find(2)->result().cached);
    EXPECT_EQ(find(3)->result().status, CallStatus::cancelled);
    expect_cached(4);
}

TEST_F(EngineSharingTest, AFollowersTimeRunsOutByItself) {
    submit_cached(1);
    CallSpec spec = fake_spec_of(2, 1, acme);
    spec.request.options.cache = true;
    spec.timeout = Milliseconds(1'000);
    submit_spec(std::move(spec));
    engine.run();
    run_at(1'000);
    EXPECT_EQ(find(2)->result().error->code(), ErrorCode::request_timeout);
    EXPECT_FALSE(find(1)->is_finished());
    answer();
    EXPECT_EQ(find(1)->result().status, CallStatus::complete);
}

TEST_F(EngineSharingTest, AllEndWhenTheEngineStops) {
    for (std::uint64_t i = 1; i <= 3; ++i) submit_cached(i);
    engine.run();
    engine.interrupt_all();
    for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(find(i)->is_finished());
    EXPECT_EQ(engine.waiting(), 0u);
    EXPECT_EQ(engine.in_flight(), 0u);
}

}  // namespace
}  // namespace pgchat
