#include "core/engine/engine.hpp"

#include <gtest/gtest.h>

#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

using Events = std::vector<std::string>;
using EngineTest = FakeEngineTest;

TEST_F(EngineTest, AdmitsUpToTheLimitInOrder) {
    limits.max_calls = 2;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 4; ++i) submit(i);
    EXPECT_EQ(engine.room(), 0u);
    EXPECT_EQ(engine.waiting(), 4u);
    engine.run();
    EXPECT_EQ(engine.in_flight(), 2u);
    EXPECT_EQ(engine.waiting(), 2u);
    EXPECT_EQ(find(1)->attempts() + find(2)->attempts(), 2);
    network.answer(2, 200, openai_done());
    engine.run();
    EXPECT_EQ(find(3)->attempts(), 1);
    EXPECT_EQ(find(4)->attempts(), 0);
    network.answer(1, 200, openai_done());
    engine.run();
    EXPECT_EQ(find(4)->attempts(), 1);
    EXPECT_EQ(engine.waiting(), 0u);
    EXPECT_EQ(engine.counters().submitted, 4u);
    EXPECT_EQ(engine.counters().completed, 2u);
}

TEST_F(EngineTest, ARequestIdIsTakenOnce) {
    submit(1);
    EXPECT_THROW(submit(1), Error);
    EXPECT_EQ(engine.counters().submitted, 1u);
    engine.run();
    EXPECT_EQ(network.requests.size(), 1u);
}

TEST_F(EngineTest, RoomIsWhatCouldBeginNow) {
    limits.max_calls = 3;
    engine.set_limits(limits);
    EXPECT_EQ(engine.room(), 3u);
    submit(1);
    EXPECT_EQ(engine.room(), 2u);
    engine.run();
    EXPECT_EQ(engine.room(), 2u);
    submit(2);
    engine.cancel(*find(2));
    EXPECT_EQ(engine.room(), 2u);
    limits.max_calls = 0;
    engine.set_limits(limits);
    EXPECT_EQ(engine.room(), 0u);
}

TEST_F(EngineTest, TimeRunsOutWhileWaitingForRoom) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    submit(1);
    CallSpec spec = fake_spec(2);
    spec.timeout = Milliseconds(1'000);
    engine.submit(std::move(spec));
    engine.run();
    EXPECT_EQ(engine.next_deadline(), begin + Milliseconds(1'000));
    run_at(999);
    EXPECT_FALSE(find(2)->is_finished());
    run_at(1'000);
    EXPECT_EQ(find(2)->result().error->code(), ErrorCode::request_timeout);
    EXPECT_EQ(find(2)->result().status, CallStatus::error);
    EXPECT_EQ(engine.in_flight(), 1u);
    EXPECT_EQ(engine.waiting(), 0u);
}

TEST_F(EngineTest, TimeRunsOutThoughTheLimitWasLoweredMeanwhile) {
    CallSpec spec = fake_spec(1);
    spec.timeout = Milliseconds(1'000);
    engine.submit(std::move(spec));
    limits.max_calls = 0;
    engine.set_limits(limits);
    run_at(1'000);
    EXPECT_TRUE(find(1)->is_finished());
}

TEST_F(EngineTest, WhatHasEndedLeavesNoTimer) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    submit(1);
    submit(2);
    engine.cancel(*find(2));
    engine.run();
    EXPECT_EQ(engine.next_deadline(), std::nullopt);
    network.answer(1, 429, "", "60");
    engine.run();
    EXPECT_EQ(engine.next_deadline(), begin + Milliseconds(60'000));
    engine.cancel(*find(1));
    EXPECT_EQ(engine.next_deadline(), std::nullopt);
}

TEST_F(EngineTest, RetriesWhenTheDelayIsOver) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    submit(1);
    submit(2);
    engine.run();
    network.answer(1, 503, "", "3");
    engine.run();
    EXPECT_EQ(engine.in_flight(), 1u) << "a call between attempts keeps its room";
    EXPECT_EQ(engine.counters().retried, 1u);
    EXPECT_EQ(engine.next_deadline(), begin + Milliseconds(3'000));
    run_at(2'999);
    EXPECT_EQ(network.requests.size(), 1u);
    run_at(3'000);
    EXPECT_EQ(network.requests.size(), 2u);
    network.answer(2, 200, openai_content("Hi") + openai_done());
    engine.run();
    EXPECT_EQ(find(1)->result().status, CallStatus::complete);
    EXPECT_EQ(find(1)->attempts(), 2);
}

TEST_F(EngineTest, RetriesEndAfterTheLast) {
    limits.call.retry.max_retries = 2;
    engine.set_limits(limits);
    submit(1);
    engine.run();
    for (Transport::Id id = 1; id <= 3; ++id) {
        network.answer(id, 500, "");
        engine.run();
        if (const auto next = engine.next_deadline()) clock.time = *next;
        engine.run();
    }
    EXPECT_EQ(find(1)->attempts(), 3);
    EXPECT_EQ(find(1)->result().error->code(), ErrorCode::provider_failed);
    EXPECT_EQ(engine.in_flight(), 0u);
    EXPECT_EQ(engine.counters().failed, 1u);
}

TEST_F(EngineTest, TheFirstTextGoesOutAtOnceAndTheNextWaits) {
    const auto id = begin_reply(1);
    feed(id, openai_content("a"));
    EXPECT_EQ(events(1), (Events{"content:a"}));
    feed(id, openai_content("b"));
    run_at(10);
    feed(id, openai_content("c"));
    EXPECT_EQ(events(1), (Events{"content:a"}));
    EXPECT_EQ(engine.next_deadline(), begin + Milliseconds(25));
    run_at(24);
    EXPECT_EQ(events(1).size(), 1u);
    run_at(25);
    EXPECT_EQ(events(1), (Events{"content:a", "content:bc"}));
    EXPECT_EQ(listener.notices, 2);
    run_at(1'000);
    feed(id, openai_content("d"));
    EXPECT_EQ(events(1).size(), 2u);
    run_at(1'025);
    EXPECT_EQ(events(1).back(), "content:d");
}

TEST_F(EngineTest, WithoutAnIntervalEachTokenIsAnEvent) {
    limits.flush_interval = Milliseconds(0);
    engine.set_limits(limits);
    const auto id = begin_reply(1);
    feed(id, openai_content("a") + openai_content("b") + openai_thinking("c"));
    EXPECT_EQ(events(1), (Events{"content:a", "content:b", "thinking:c"}));
    EXPECT_EQ(engine.next_deadline(), std::nullopt);
}

TEST_F(EngineTest, ThinkingAndContentKeepTheirOrder) {
    const auto id = begin_reply(1);
    feed(id, openai_thinking("t") + openai_content("c"));
    feed(id, openai_thinking("u") + openai_content("d") + openai_done());
    network.end(id);
    engine.run();
    listener.settle(engine);
    const Events expected{"thinking:t", "content:c", "thinking:u", "content:d", "done:"};
    EXPECT_EQ(events(1), expected);
    EXPECT_EQ(events_of(find(1)->log()), expected);
}

TEST_F(EngineTest, ACallThatIsNotStreamedHasNoEventsBeforeItsEnd) {
    submit(1, false);
    engine.run();
    network.answer(1, 200, R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]})");
    engine.run();
    EXPECT_EQ(listener.notices, 0);
    listener.settle(engine);
    EXPECT_EQ(events(1), (Events{"content:Hi", "done:"}));
}

TEST_F(EngineTest, TheEndTellsTheStatus) {
    const auto end_with = [&](std::uint64_t number, const std::string& bytes, HttpOutcome outcome) {
        const auto id = begin_reply(number);
        network.body(id, bytes);
        network.end(id, outcome);
        engine.run();
        listener.settle(engine);
        return events(number).back();
    };
    EXPECT_EQ(end_with(1, openai_content("a") + openai_done(), HttpOutcome::ok), "done:");
    EXPECT_EQ(end_with(2, openai_content("a"), HttpOutcome::broken), "incomplete:the reply broke off before its end");
    EXPECT_EQ(end_with(3, ":\n\n", HttpOutcome::idle_timeout), "error:provider acme: it failed");
    submit(4);
    engine.cancel(*find(4));
    listener.settle(engine);
    EXPECT_EQ(events(4), (Events{"cancelled:the call was cancelled"}));
}

class FourStatesTest : public EngineTest {
protected:
    // 1 is sent, 2 waits to be tried again, 3 has begun to answer, 4 waits for room.
    void submit_into_four_states() {
        limits.max_calls = 3;
        engine.set_limits(limits);
        for (std::uint64_t i = 1; i <= 4; ++i) submit(i);
        engine.run();
        network.answer(2, 500, "");
        network.head(3, 200);
        network.body(3, openai_content("Hel"));
        engine.run();
    }
};

TEST_F(FourStatesTest, CancelsInEachState) {
    submit_into_four_states();
    for (std::uint64_t i = 1; i <= 4; ++i) {
        engine.cancel(*find(i));
        EXPECT_EQ(find(i)->result().status, CallStatus::cancelled);
        engine.cancel(*find(i));
    }
    EXPECT_EQ(engine.in_flight(), 0u);
    EXPECT_EQ(engine.waiting(), 0u);
    EXPECT_EQ(listener.finished.size(), 4u);
    EXPECT_EQ(network.cancelled, 2);
    EXPECT_EQ(find(3)->log().content(), "Hel");
    EXPECT_EQ(engine.counters().failed, 4u);
    run_at(500'000);
    EXPECT_EQ(network.requests.size(), 3u);
}

TEST_F(FourStatesTest, AnInterruptEndsAllAndTellsWhatMayHaveBeenPaid) {
    submit_into_four_states();
    engine.interrupt_all();
    EXPECT_EQ(listener.finished.size(), 4u);
    EXPECT_EQ(find(1)->result().error->code(), ErrorCode::outcome_unknown);
    EXPECT_EQ(find(1)->result().status, CallStatus::error);
    EXPECT_EQ(find(2)->result().error->code(), ErrorCode::engine_unavailable);
    EXPECT_EQ(find(3)->result().error->code(), ErrorCode::outcome_unknown);
    EXPECT_EQ(find(3)->result().status, CallStatus::incomplete);
    EXPECT_EQ(find(4)->result().error->code(), ErrorCode::engine_unavailable);
    EXPECT_TRUE(network.open.empty());
    EXPECT_EQ(engine.in_flight(), 0u);
    engine.interrupt_all();
    EXPECT_EQ(listener.finished.size(), 4u);
}

TEST_F(EngineTest, TheLatestCallOfAMessageIsFound) {
    CallSpec first = fake_spec(1);
    CallSpec second = fake_spec(2);
    const Uuid message = second.message_id = first.message_id;
    Call& older = engine.submit(std::move(first));
    Call& newer = engine.submit(std::move(second));
    EXPECT_EQ(engine.find_by_message(message), &newer);
    engine.cancel(older);
    engine.release(older);
    EXPECT_EQ(engine.find_by_message(message), &newer);
    EXPECT_EQ(engine.find_by_message(Uuid{}), nullptr);
}

TEST_F(EngineTest, AnEngineMayGoWithCallsInFlight) {
    {
        Engine other(clock, network, echo, listener);
        open_accounts(other);
        for (std::uint64_t i = 1; i <= 3; ++i) other.submit(fake_spec(i));
        CallSpec slow = fake_spec(4, true, ProviderKind::echo);
        slow.request.options.extra = Json::parse(R"({"echo":{"latency_ms":10}})");
        other.submit(std::move(slow));
        other.run();
        network.answer(1, 200, openai_content("a") + openai_done());
        network.answer(2, 500, "");
        EXPECT_EQ(network.open.size(), 3u);
    }
    EXPECT_TRUE(network.open.empty());
    network.run();
    clock.advance(Milliseconds(1'000));
    echo.run();
    EXPECT_EQ(listener.notices, 0);
    EXPECT_TRUE(listener.finished.empty());
}

TEST_F(EngineTest, EchoCallsNeedNoNetwork) {
    engine.submit(fake_spec(1, true, ProviderKind::echo));
    engine.run();
    EXPECT_TRUE(network.requests.empty());
    EXPECT_EQ(find(1)->result().status, CallStatus::complete);
    listener.settle(engine);
    EXPECT_EQ(events(1), (Events{"content:Hello, you", "done:"}));
}

TEST_F(EngineTest, ACallThatCannotBeWrittenEndsAndGivesItsRoom) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    for (std::uint64_t i = 1; i <= 100; ++i) {
        CallSpec spec = fake_spec(i, true, ProviderKind::echo);
        spec.request.options.extra = Json::parse(R"({"echo":{"no_such_setting":1}})");
        engine.submit(std::move(spec));
    }
    submit(101);
    engine.run();
    EXPECT_EQ(listener.finished.size(), 100u);
    EXPECT_EQ(engine.in_flight(), 1u);
    EXPECT_EQ(find(101)->attempts(), 1);
}

TEST_F(EngineTest, TheCatalogIsKept) {
    EXPECT_EQ(engine.catalog().size(), 0u);
    auto catalog = std::make_shared<Catalog>();
    catalog->add(*fake_model(), true);
    engine.set_catalog(catalog);
    EXPECT_EQ(engine.catalog().find("")->name, "small");
}

}  // namespace
}  // namespace pgchat
