#include "core/engine/call.hpp"

#include <gtest/gtest.h>

#include "support/fake_calls.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace pgchat {
namespace {

class CountingObserver final : public CallObserver {
public:
    void text_arrived(Call&) noexcept override { ++texts; }
    void provider_answered(Call&) noexcept override { ++answers; }
    void attempt_failed(Call&, ProviderHealth health, bool is_last) noexcept override {
        failures.emplace_back(health, is_last);
    }
    void attempt_ended(Call&, const Attempt&) noexcept override { ++attempts_ended; }
    bool fall_back(Call&) noexcept override { return falls_back; }
    void retry_wanted(Call&, Milliseconds delay) noexcept override { retries.push_back(delay); }
    void finished(Call&) noexcept override { ++ends; }

    int texts = 0;
    int ends = 0;
    int answers = 0;
    int attempts_ended = 0;
    bool falls_back = false;
    std::vector<std::pair<ProviderHealth, bool>> failures;
    std::vector<Milliseconds> retries;
};

class CallTest : public testing::Test {
protected:
    Call& begin(CallSpec spec) {
        call = std::make_unique<Call>(std::move(spec), limits, clock, observer);
        call->start(network);
        return *call;
    }
    Call& begin() { return begin(fake_spec(1)); }
    // Plays one attempt that ends with the outcome after `bytes` of a 200 reply.
    Call& reply(const std::string& bytes, HttpOutcome outcome = HttpOutcome::ok) {
        begin();
        network.head(1, 200);
        network.body(1, bytes);
        network.end(1, outcome);
        network.run();
        return *call;
    }
    Call& fail(HttpOutcome outcome, bool request_sent) {
        begin();
        network.end(network.last_id, outcome, request_sent);
        network.run();
        return *call;
    }
    ErrorCode error_code() const { return call->result().error ? call->result().error->code() : ErrorCode::internal; }

    FakeClock clock;
    FakeTransport network;
    CountingObserver observer;
    CallLimits limits;
    std::unique_ptr<Call> call;
};

TEST_F(CallTest, AWholeReplyIsComplete) {
    reply(openai_thinking("hm") + openai_content("Hel") + openai_content("lo") + openai_usage(10, 4, 2) +
          openai_done());
    const CallResult& result = call->result();
    EXPECT_EQ(result.status, CallStatus::complete);
    EXPECT_EQ(result.finish_reason, "stop");
    EXPECT_FALSE(result.error.has_value());
    EXPECT_EQ(call->log().content(), "Hello");
    EXPECT_EQ(call->log().thinking(), "hm");
    EXPECT_EQ(result.usage.input_tokens, 10);
    EXPECT_EQ(result.usage.output_tokens, 4);
    EXPECT_FALSE(result.estimated);
    EXPECT_EQ(result.cost, 8 * 1'000'000 + 2 * 100'000 + 4 * 2'000'000);
    EXPECT_EQ(observer.texts, 3);
    EXPECT_EQ(observer.ends, 1);
    EXPECT_STREQ(call_status_name(result.status), "complete");
}

TEST_F(CallTest, TheRequestCarriesTheLimits) {
    limits.connect_timeout = Milliseconds(1'000);
    limits.idle_timeout = Milliseconds(2'000);
    limits.max_response_bytes = 3'000;
    CallSpec spec = fake_spec(1);
    spec.timeout = Milliseconds(600);
    call = std::make_unique<Call>(std::move(spec), limits, clock, observer);
    clock.advance(Milliseconds(100));
    call->start(network);
    const HttpRequest& request = network.requests.at(0);
    EXPECT_EQ(request.connect_timeout, Milliseconds(500));
    EXPECT_EQ(request.idle_timeout, Milliseconds(2'000));
    EXPECT_EQ(request.total_timeout, Milliseconds(500));
    EXPECT_EQ(request.max_response_bytes, 3'000u);
    EXPECT_EQ(Json::parse(request.body)["model"], "small-1");
}

TEST_F(CallTest, TimesAreCountedFromSubmission) {
    call = std::make_unique<Call>(fake_spec(1), limits, clock, observer);
    clock.advance(Milliseconds(100));
    call->start(network);
    clock.advance(Milliseconds(20));
    network.head(1, 200);
    network.body(1, openai_content("a"));
    network.run();
    clock.advance(Milliseconds(3));
    network.body(1, openai_content("b") + openai_done());
    network.end(1);
    network.run();
    EXPECT_EQ(call->result().first_token, Milliseconds(120));
    EXPECT_EQ(call->result().latency, Milliseconds(123));
}

TEST_F(CallTest, AReplyWithoutItsEndIsIncomplete) {
    reply(openai_content("Hel"));
    EXPECT_EQ(call->result().status, CallStatus::incomplete);
    EXPECT_EQ(error_code(), ErrorCode::incomplete_response);
    EXPECT_EQ(call->log().content(), "Hel");
}

TEST_F(CallTest, ABrokenReplyIsIncompleteAndNotRepeated) {
    for (const HttpOutcome outcome : {HttpOutcome::broken, HttpOutcome::idle_timeout, HttpOutcome::total_timeout,
                                      HttpOutcome::too_large, HttpOutcome::protocol_error}) {
        network = FakeTransport();
        reply(openai_content("Hel"), outcome);
        EXPECT_EQ(call->result().status, CallStatus::incomplete);
        EXPECT_EQ(call->log().content(), "Hel");
    }
    EXPECT_TRUE(observer.retries.empty());
}

TEST_F(CallTest, AWholeReplyStaysWholeWhenItsConnectionDoesNotEndWell) {
    for (const HttpOutcome outcome : {HttpOutcome::broken, HttpOutcome::idle_timeout, HttpOutcome::total_timeout}) {
        network = FakeTransport();
        reply(openai_content("Hello") + openai_done(), outcome);
        EXPECT_EQ(call->result().status, CallStatus::complete);
        EXPECT_FALSE(call->result().error.has_value());
    }
}

TEST_F(CallTest, FailuresHaveTheirCodes) {
    const std::vector<std::pair<HttpOutcome, ErrorCode>> codes = {
        {HttpOutcome::invalid_request, ErrorCode::configuration_error},
        {HttpOutcome::address_refused, ErrorCode::provider_address_refused},
        {HttpOutcome::tls_failed, ErrorCode::provider_unreachable},
        {HttpOutcome::idle_timeout, ErrorCode::request_timeout},
        {HttpOutcome::total_timeout, ErrorCode::request_timeout},
        {HttpOutcome::broken, ErrorCode::outcome_unknown},
        {HttpOutcome::too_large, ErrorCode::response_too_large},
        {HttpOutcome::protocol_error, ErrorCode::provider_bad_response}};
    for (const auto& [outcome, code] : codes) {
        fail(outcome, true);
        EXPECT_EQ(call->result().status, CallStatus::error);
        EXPECT_EQ(error_code(), code);
        EXPECT_NE(std::string(call->result().error->what()).find("acme"), std::string::npos);
    }
    EXPECT_TRUE(observer.retries.empty());
    EXPECT_EQ(observer.ends, static_cast<int>(codes.size()));
}

TEST_F(CallTest, NothingWithUnknownOutcomeIsRepeated) {
    fail(HttpOutcome::connect_failed, true);
    EXPECT_TRUE(call->is_finished());
    fail(HttpOutcome::connect_failed, false);
    EXPECT_FALSE(call->is_finished());
    EXPECT_EQ(observer.retries.size(), 1u);
}

TEST_F(CallTest, RetriesUntilItSucceeds) {
    begin();
    network.answer(1, 503, R"({"error":{"message":"busy"}})");
    network.run();
    EXPECT_FALSE(call->is_finished());
    EXPECT_FALSE(call->is_in_progress());
    call->start(network);
    EXPECT_TRUE(call->is_in_progress());
    network.answer(2, 200, openai_content("Hi") + openai_done());
    network.run();
    EXPECT_EQ(call->result().status, CallStatus::complete);
    EXPECT_EQ(call->attempts(), 2);
    EXPECT_EQ(call->log().content(), "Hi");
    EXPECT_EQ(network.requests[0].body, network.requests[1].body);
}

TEST_F(CallTest, WhatAnAttemptSaysOfItsProviderIsTold) {
    limits.retry.max_retries = 1;
    begin();
    network.answer(1, 503, "");
    network.run();
    call->start(network);
    network.answer(2, 429, "");
    network.run();
    const std::vector<std::pair<ProviderHealth, bool>> told{{ProviderHealth::fails, false},
                                                            {ProviderHealth::answers, true}};
    EXPECT_EQ(observer.failures, told);
    EXPECT_EQ(observer.answers, 1);
    EXPECT_EQ(observer.attempts_ended, 2);
    EXPECT_EQ(observer.ends, 1);
}

TEST_F(CallTest, ACallThatFallsBackHasNotEnded) {
    limits.retry.max_retries = 0;
    observer.falls_back = true;
    begin();
    network.answer(1, 503, "");
    network.run();
    EXPECT_EQ(observer.ends, 0);
    EXPECT_EQ(observer.attempts_ended, 1);
    call->start(network);
    network.answer(2, 400, "");
    network.run();
    EXPECT_EQ(error_code(), ErrorCode::provider_rejected_request) << "what was refused is not asked elsewhere";
}

TEST_F(CallTest, RetryAfterIsHeeded) {
    begin();
    network.answer(1, 429, "", "7");
    network.run();
    ASSERT_EQ(observer.retries.size(), 1u);
    EXPECT_EQ(observer.retries[0], Milliseconds(7'000));
}

TEST_F(CallTest, AnAttemptStartsAfresh) {
    begin();
    network.answer(1, 503, "first", "7");
    network.run();
    call->start(network);
    network.end(2, HttpOutcome::connect_failed, false);
    network.run();
    ASSERT_EQ(observer.retries.size(), 2u);
    EXPECT_LT(observer.retries[1], Milliseconds(7'000)) << "the answer before the last has no say any more";
    call->start(network);
    network.answer(3, 400, "second");
    network.run();
    EXPECT_NE(std::string(call->result().error->what()).find("second"), std::string::npos);
    EXPECT_EQ(std::string(call->result().error->what()).find("first"), std::string::npos);
}

TEST_F(CallTest, ARetryAfterBeyondTheLimitEndsTheCall) {
    begin();
    network.answer(1, 429, "", "100000");
    network.run();
    EXPECT_EQ(error_code(), ErrorCode::provider_rate_limited);
}

TEST_F(CallTest, ARetryThatWouldComeTooLateIsNotWaitedFor) {
    CallSpec spec = fake_spec(1);
    spec.timeout = Milliseconds(5'000);
    begin(std::move(spec));
    network.answer(1, 429, "", "5");
    network.run();
    EXPECT_EQ(error_code(), ErrorCode::provider_rate_limited);
    EXPECT_TRUE(observer.retries.empty());
}

TEST_F(CallTest, AnAttemptAfterTheDeadlineIsNotMade) {
    call = std::make_unique<Call>(fake_spec(1), limits, clock, observer);
    clock.advance(Milliseconds(600'000));
    call->start(network);
    EXPECT_EQ(error_code(), ErrorCode::request_timeout);
    EXPECT_TRUE(network.requests.empty());
    EXPECT_EQ(observer.ends, 1);
}

TEST_F(CallTest, ARequestThatCannotBeWrittenEndsTheCall) {
    CallSpec spec = fake_spec(1, true, ProviderKind::echo);
    spec.request.options.extra = Json::parse(R"({"echo":{"no_such_setting":1}})");
    begin(std::move(spec));
    EXPECT_EQ(error_code(), ErrorCode::malformed_options);
    EXPECT_EQ(observer.ends, 1);
    EXPECT_TRUE(network.requests.empty());
}

TEST_F(CallTest, AnErrorInsideAReplyEndsIt) {
    reply(R"(data: {"error":{"message":"overloaded"}})"
          "\n\n");
    EXPECT_EQ(call->result().status, CallStatus::error);
    EXPECT_TRUE(call->result().error.has_value());
    network = FakeTransport();
    reply(openai_content("Hel") +
          R"(data: {"error":{"message":"overloaded"}})"
          "\n\n" +
          openai_done());
    EXPECT_EQ(call->result().status, CallStatus::incomplete);
    EXPECT_EQ(call->log().content(), "Hel");
    EXPECT_EQ(observer.ends, 2);
}

TEST_F(CallTest, AnErrorBodyIsReadUpToACapOnly) {
    const auto message = [&](std::size_t padding) {
        network = FakeTransport();
        begin();
        network.head(1, 400);
        const std::string body = R"({"pad":")" + std::string(padding, 'x') + R"(","error":{"message":"the reason"}})";
        for (std::size_t at = 0; at < body.size(); at += 10'000) network.body(1, body.substr(at, 10'000));
        network.end(1);
        network.run();
        return std::string(call->result().error->what());
    };
    EXPECT_NE(message(60'000).find("the reason"), std::string::npos);
    EXPECT_EQ(message(70'000).find("the reason"), std::string::npos);
    EXPECT_LT(message(1'000'000).size(), 1'000u);
    EXPECT_FALSE(call->result().usage.input_tokens.has_value());
    EXPECT_EQ(call->result().cost, 0);
}

TEST_F(CallTest, UsageThatWasNotToldIsEstimatedAndFlagged) {
    reply(openai_content("123456789") + openai_done());
    EXPECT_EQ(call->result().status, CallStatus::complete);
    EXPECT_TRUE(call->result().estimated);
    EXPECT_EQ(call->result().usage.input_tokens, 4);  // "Hello, you"
    EXPECT_EQ(call->result().usage.output_tokens, 3);
    EXPECT_EQ(call->result().cost, 4 * 1'000'000 + 3 * 2'000'000);
}

TEST_F(CallTest, AnEstimateCountsToolCalls) {
    const std::string arguments(300, 'x');
    reply(openai_event(Json::parse(R"({"tool_calls":[{"index":0,"id":"c","type":"function",
        "function":{"name":"f","arguments":")" +
                                   arguments + R"("}}]})")) +
          openai_done());
    EXPECT_GE(call->result().usage.output_tokens, 100);
    EXPECT_EQ(Json::parse(call->result().tool_calls)[0]["function"]["arguments"], arguments);
}

// Anthropic counts the output from the start, so that a call stopped midway has a count, of next to nothing.
TEST_F(CallTest, ACountFromTheStartOfAReplyDoesNotStandForAllOfIt) {
    CallSpec spec = fake_spec(1, true, ProviderKind::anthropic);
    spec.request.options.max_tokens = 1000;
    begin(std::move(spec));
    network.head(1, 200);
    network.body(1,
                 "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":"
                 "{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
                 "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                 "{\"type\":\"text_delta\",\"text\":\"" +
                     std::string(300, 'x') + "\"}}\n\n");
    network.run();
    call->stop(CallStatus::cancelled, Error(ErrorCode::cancelled, "stop"));
    EXPECT_EQ(call->result().usage.input_tokens, 9);
    EXPECT_EQ(call->result().usage.output_tokens, 100);
    EXPECT_TRUE(call->result().estimated);
}

TEST_F(CallTest, StoppingInEachState) {
    const Error reason(ErrorCode::cancelled, "stop");
    Call waiting(fake_spec(1), limits, clock, observer);
    waiting.stop(CallStatus::cancelled, reason);
    EXPECT_EQ(waiting.result().status, CallStatus::cancelled);
    EXPECT_EQ(waiting.attempts(), 0);

    begin();
    call->stop(CallStatus::cancelled, reason);
    EXPECT_EQ(network.cancelled, 1);
    EXPECT_EQ(call->result().usage.output_tokens, 0);
    EXPECT_TRUE(call->result().estimated) << "the provider may have read the prompt";

    begin();
    network.head(2, 200);
    network.body(2, openai_content("Hel"));
    network.run();
    call->stop(CallStatus::cancelled, reason);
    EXPECT_EQ(call->log().content(), "Hel");
    EXPECT_TRUE(call->result().estimated);
    EXPECT_EQ(network.cancelled, 2);

    begin();
    network.answer(3, 500, "");
    network.run();
    call->stop(CallStatus::cancelled, reason);
    EXPECT_EQ(network.cancelled, 2);
    EXPECT_EQ(observer.ends, 4);
    call->stop(CallStatus::error, reason);
    EXPECT_EQ(call->result().status, CallStatus::cancelled);
    EXPECT_EQ(observer.ends, 4);
}

TEST_F(CallTest, DestroyingACallEndsItsAttempt) {
    begin();
    network.answer(1, 200, openai_content("Hi"));
    call.reset();
    EXPECT_EQ(network.cancelled, 1);
    network.run();
    EXPECT_EQ(observer.texts, 0);
    EXPECT_EQ(observer.ends, 0);
}

TEST_F(CallTest, AnEndedCallLetsGoOfItsRequest) {
    reply(openai_content("Hi") + openai_done());
    EXPECT_TRUE(call->spec().request.messages.empty());
}

}  // namespace
}  // namespace pgchat
