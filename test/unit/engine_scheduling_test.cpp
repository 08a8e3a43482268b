// The engine's choice of what begins next: turns of users, caps and breakers of providers, fallback models.
#include <gtest/gtest.h>

#include "core/engine/engine.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_providers.hpp"

namespace pgchat {
namespace {

class EngineSchedulingTest : public FakeEngineTest {
protected:
    Call& submit_of(std::uint64_t number, std::uint64_t user, std::shared_ptr<const ModelEntry> model) {
        return submit_spec(fake_spec_of(number, user, std::move(model)));
    }
    bool has_begun(std::uint64_t number) { return find(number)->attempts() > 0; }
    // Fails the newest request `times` times, each retry when it is due.
    void fail_newest(int times, int status = 503) {
        for (int i = 0; i < times; ++i) {
            network.answer(network.last_id, status, "");
            engine.run();
            clock.time += Milliseconds(10'000);
            engine.run();
        }
    }
    ErrorCode error_of(std::uint64_t number) { return find(number)->result().error->code(); }
    BreakerState breaker_of(const std::string& provider) {
        return engine.admission().gates().all().at(provider).breaker.state();
    }

    std::shared_ptr<const ModelEntry> acme = fake_model_of("acme", "small");
    std::shared_ptr<const ModelEntry> zeta = fake_model_of("zeta", "other");
};

TEST_F(EngineSchedulingTest, AThousandOfOneUserDelayAnothersFirstByOne) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 1000; ++i) submit_of(i, 1, acme);
    engine.run();
    submit_of(1001, 2, acme);
    ASSERT_TRUE(has_begun(1));
    network.answer(1, 200, openai_done());
    engine.run();
    EXPECT_TRUE(has_begun(2));
    network.answer(2, 200, openai_done());
    engine.run();
    EXPECT_TRUE(has_begun(1001));
    EXPECT_FALSE(has_begun(3));
}

TEST_F(EngineSchedulingTest, AFullProviderHoldsUpNobodyElse) {
    const auto narrow = fake_model_of("narrow", "slow", 2);
    for (std::uint64_t i = 1; i <= 10; ++i) submit_of(i, 1, narrow);
    submit_of(11, 1, acme);
    engine.run();
    EXPECT_TRUE(has_begun(1) && has_begun(2) && has_begun(11));
    EXPECT_FALSE(has_begun(3));
    EXPECT_EQ(engine.in_flight(), 3u);
    EXPECT_EQ(engine.waiting(), 8u);
    EXPECT_EQ(engine.room(), limits.max_calls - 3) << "what waits for a full provider takes no room from others";
    network.answer(1, 200, openai_done());
    engine.run();
    EXPECT_TRUE(has_begun(3));
    EXPECT_FALSE(has_begun(4));
    engine.cancel(*find(2));
    engine.cancel(*find(5));
    engine.run();
    EXPECT_TRUE(has_begun(4));
    EXPECT_FALSE(has_begun(6));
}

TEST_F(EngineSchedulingTest, ModelsOfFullProvidersAreNamed) {
    Catalog catalog;
    catalog.add(*fake_model_of("narrow", "slow", 1), true);
    catalog.add(*acme, false);
    engine.set_catalog(std::make_shared<const Catalog>(catalog));
    submit_of(1, 1, engine.catalog().find("slow"));
    engine.run();
    EXPECT_TRUE(engine.full_models().empty()) << "nothing waits for it";
    submit_of(2, 1, engine.catalog().find("slow"));
    engine.run();
    EXPECT_EQ(engine.full_models(), std::vector<std::string>{"slow"});
    network.answer(1, 200, openai_done());
    engine.run();
    EXPECT_TRUE(engine.full_models().empty());
}

TEST_F(EngineSchedulingTest, ADurableCallGetsATurnWhenImmediateOnesFillTheEngine) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 3; ++i) submit_of(i, 1, acme);
    engine.run();
    EXPECT_EQ(engine.room(), 0u);
    EXPECT_EQ(engine.room_for_durable(), 1u);
    CallSpec spec = fake_spec_of(4, 2, acme);
    spec.durable = true;
    submit_spec(std::move(spec));
    EXPECT_EQ(engine.room_for_durable(), 0u) << "one waits already";
    network.answer(1, 200, openai_done());
    engine.run();
    network.answer(2, 200, openai_done());
    engine.run();
    EXPECT_TRUE(has_begun(4));
    EXPECT_EQ(engine.room_for_durable(), 1u);
}

TEST_F(EngineSchedulingTest, AProviderThatFailsIsLeftAlone) {
    limits.breaker = {3, Milliseconds(60'000), Milliseconds(60'000)};
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        submit_of(i, 1, acme);
        engine.run();
        network.answer(network.last_id, 503, "");
        engine.run();
    }
    EXPECT_EQ(breaker_of("acme"), BreakerState::open);
    submit_of(4, 2, acme);
    submit_of(5, 2, zeta);
    engine.run();
    EXPECT_EQ(error_of(4), ErrorCode::provider_suspended);
    EXPECT_NE(find(4)->result().error->hint().find(" s;"), std::string::npos);
    EXPECT_EQ(find(4)->attempts(), 0);
    EXPECT_TRUE(has_begun(5));
}

TEST_F(EngineSchedulingTest, OneProbeDecides) {
    limits.breaker = {1, Milliseconds(1'000), Milliseconds(60'000)};
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    submit_of(1, 1, acme);
    engine.run();
    network.end(1, HttpOutcome::connect_failed, false);
    engine.run();
    clock.advance(Milliseconds(1'000));
    submit_of(2, 1, acme);
    submit_of(3, 1, acme);
    engine.run();
    EXPECT_TRUE(has_begun(2));
    EXPECT_EQ(breaker_of("acme"), BreakerState::half_open);
    EXPECT_EQ(error_of(3), ErrorCode::provider_suspended);
    network.head(network.last_id, 200);
    engine.run();
    EXPECT_EQ(breaker_of("acme"), BreakerState::closed) << "its answer is enough, not its end";
    submit_of(4, 1, acme);
    engine.run();
    EXPECT_TRUE(has_begun(4));
}

TEST_F(EngineSchedulingTest, ACancelledProbeLeavesTheNextOne) {
    limits.breaker = {1, Milliseconds(1'000), Milliseconds(60'000)};
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    submit_of(1, 1, acme);
    engine.run();
    network.answer(1, 500, "");
    engine.run();
    clock.advance(Milliseconds(1'000));
    submit_of(2, 1, acme);
    engine.run();
    engine.cancel(*find(2));
    submit_of(3, 1, acme);
    engine.run();
    EXPECT_TRUE(has_begun(3));
}

TEST_F(EngineSchedulingTest, WhatIsNotTheProvidersFaultDoesNotSuspendIt) {
    limits.breaker.failures = 2;
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    std::uint64_t number = 0;
    for (const int status : {400, 401, 404, 429, 400, 401, 404, 429}) {
        submit_of(++number, 1, acme);
        engine.run();
        network.answer(network.last_id, status, "");
        engine.run();
    }
    for (int i = 0; i < 5; ++i) {
        submit_of(++number, 1, acme);
        engine.run();
        engine.cancel(*find(number));
        submit_of(++number, 1, acme);
        engine.run();
        network.end(network.last_id, HttpOutcome::total_timeout);
        engine.run();
    }
    EXPECT_EQ(breaker_of("acme"), BreakerState::closed);
}

TEST_F(EngineSchedulingTest, WhatSucceedsWhenItIsTriedAgainIsNoFailure) {
    limits.breaker.failures = 1;
    engine.set_limits(limits);
    submit_of(1, 1, acme);
    engine.run();
    fail_newest(3);
    network.answer(network.last_id, 200, openai_done());
    engine.run();
    EXPECT_EQ(find(1)->result().status, CallStatus::complete);
    EXPECT_EQ(breaker_of("acme"), BreakerState::closed);
}

TEST_F(EngineSchedulingTest, ARetryEndsWhenTheProviderIsSuspendedMeanwhile) {
    limits.breaker = {1, Milliseconds(60'000), Milliseconds(60'000)};
    engine.set_limits(limits);
    submit_of(1, 1, acme);
    engine.run();
    network.answer(1, 503, "");
    engine.run();
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    submit_of(2, 1, acme);
    engine.run();
    network.answer(2, 503, "");
    engine.run();
    EXPECT_EQ(error_of(2), ErrorCode::provider_failed);
    run_at(10'000);
    EXPECT_EQ(error_of(1), ErrorCode::provider_suspended);
    EXPECT_EQ(find(1)->attempts(), 1);
    EXPECT_EQ(engine.in_flight(), 0u);
}

TEST_F(EngineSchedulingTest, FallsBackAfterTheLastRetry) {
    limits.call.retry.max_retries = 1;
    engine.set_limits(limits);
    CallSpec spec = fake_spec_of(1, 1, acme);
    spec.fallbacks = {zeta};
    submit_spec(std::move(spec));
    engine.run();
    fail_newest(2, 429);
    ASSERT_EQ(network.requests.size(), 3u);
    EXPECT_NE(network.requests[2].body.find("other-1"), std::string::npos);
    EXPECT_EQ(engine.in_flight(), 1u);
    network.answer(3, 200, openai_content("Hi") + openai_usage(10, 5) + openai_done());
    engine.run();
    EXPECT_EQ(find(1)->result().status, CallStatus::complete);
    EXPECT_EQ(find(1)->spec().model->name, "other") << "the model that answered";
    EXPECT_EQ(engine.in_flight(), 0u);
    for (const auto& [name, gate] : engine.admission().gates().all()) EXPECT_EQ(gate.in_flight, 0u) << name;
}

TEST_F(EngineSchedulingTest, AFallbackHasRetriesOfItsOwn) {
    limits.call.retry.max_retries = 1;
    engine.set_limits(limits);
    CallSpec spec = fake_spec_of(1, 1, acme);
    spec.fallbacks = {zeta, fake_model_of("third", "last")};
    submit_spec(std::move(spec));
    engine.run();
    fail_newest(6);
    EXPECT_EQ(find(1)->attempts(), 6);
    EXPECT_EQ(error_of(1), ErrorCode::provider_failed);
    EXPECT_EQ(find(1)->spec().model->name, "last");
}

TEST_F(EngineSchedulingTest, FallsBackAtOnceFromASuspendedProvider) {
    limits.breaker = {1, Milliseconds(60'000), Milliseconds(60'000)};
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    submit_of(1, 1, acme);
    engine.run();
    network.answer(1, 500, "");
    engine.run();
    CallSpec spec = fake_spec_of(2, 1, acme);
    spec.fallbacks = {fake_model_of("acme", "large"), zeta};
    submit_spec(std::move(spec));
    engine.run();
    EXPECT_EQ(find(2)->attempts(), 1);
    EXPECT_EQ(find(2)->spec().model->name, "other");
}

TEST_F(EngineSchedulingTest, NoFallbackForAReplyThatBroke) {
    CallSpec spec = fake_spec_of(1, 1, acme);
    spec.fallbacks = {zeta};
    submit_spec(std::move(spec));
    CallSpec second = fake_spec_of(2, 1, acme);
    second.fallbacks = {zeta};
    submit_spec(std::move(second));
    engine.run();
    network.head(1, 200);
    network.body(1, openai_content("Hi"));
    network.end(1, HttpOutcome::broken);
    network.end(2, HttpOutcome::broken);
    engine.run();
    EXPECT_EQ(find(1)->result().status, CallStatus::incomplete);
    EXPECT_EQ(error_of(2), ErrorCode::outcome_unknown);
    EXPECT_EQ(network.requests.size(), 2u);
}

TEST_F(EngineSchedulingTest, AFallbackWaitsForRoomAtItsProvider) {
    limits.call.retry.max_retries = 0;
    engine.set_limits(limits);
    const auto narrow = fake_model_of("narrow", "slow", 1);
    submit_of(1, 1, narrow);
    CallSpec spec = fake_spec_of(2, 1, acme);
    spec.fallbacks = {narrow};
    spec.timeout = Milliseconds(5'000);
    submit_spec(std::move(spec));
    engine.run();
    network.answer(2, 503, "");
    engine.run();
    EXPECT_EQ(engine.waiting(), 1u);
    EXPECT_EQ(engine.in_flight(), 1u);
    run_at(5'000);
    EXPECT_EQ(error_of(2), ErrorCode::request_timeout) << "its time counts from its submission";
    EXPECT_EQ(engine.waiting(), 0u);
}

}  // namespace
}  // namespace pgchat
