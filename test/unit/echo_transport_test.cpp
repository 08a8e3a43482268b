#include "core/llm/echo_transport.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "echo_support.hpp"

namespace pgchat {
namespace {

TEST_F(EchoTransportTest, EchoesTheLastUserMessageAtOnce) {
    for (const bool stream : {true, false}) {
        Caller caller(stream);
        EXPECT_NE(transport.start(request("{}", stream), caller), 0u);
        EXPECT_EQ(caller.finished, 0);
        transport.run();
        EXPECT_EQ(caller.finished, 1);
        EXPECT_EQ(caller.result.outcome, HttpOutcome::ok);
        EXPECT_EQ(caller.head.content_type, stream ? "text/event-stream" : "application/json");
        EXPECT_EQ(describe(caller.reply, caller.decoder->info()),
                  "content=one  two\nthrée \nthinking=\nended=1 finish=stop model=echo-1\nusage=7/3/-\n"
                  "tool_calls=null\nsanitized=0");
        EXPECT_FALSE(transport.next_deadline().has_value());
    }
}

TEST_F(EchoTransportTest, PlaysTokensAtTheirTimes) {
    Caller caller;
    transport.start(request(R"({"extra":{"echo":{"latency_ms":100,"tokens_per_second":20}}})"), caller);
    transport.run();
    EXPECT_EQ(caller.body, "");
    EXPECT_EQ(*transport.next_deadline() - start, milliseconds(100));
    clock.time = start + milliseconds(100);
    transport.run();
    EXPECT_EQ(caller.reply.content, "one");
    EXPECT_EQ(*transport.next_deadline() - start, milliseconds(150));
    clock.time = start + milliseconds(160);
    transport.run();
    EXPECT_EQ(caller.reply.content, "one  two");
    clock.time = start + milliseconds(500);
    transport.run();
    EXPECT_EQ(caller.reply.content, "one  two\nthrée ");
    EXPECT_EQ(caller.finished, 1);
}

TEST_F(EchoTransportTest, PlaysThinkingAndToolCalls) {
    for (const bool stream : {true, false}) {
        Caller caller(stream);
        play(caller, R"({"extra":{"echo":{"thinking":"let me","reply":"ok","tool_calls":
            [{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}}})",
             stream);
        EXPECT_EQ(describe(caller.reply, caller.decoder->info()),
                  "content=ok\nthinking=let me\nended=1 finish=tool_calls model=echo-1\nusage=7/3/-\n"
                  R"(tool_calls=[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}])"
                  "\nsanitized=0");
    }
}

TEST_F(EchoTransportTest, AnswersByWhatIsSaid) {
    config.options = Json::parse(R"({"thinking":"hm","answers":[
        {"when":["yes","nobody says this"],"reply":"no"},
        {"when":["Be brief","ballot","echo-1","one  two"],"reply":"{}"},
        {"when":"yes","reply":"too late"}]})");
    Caller ballot;
    play(
        ballot,
        R"({"extra":{"response_format":{"type":"json_schema","json_schema":{"name":"ballot"}},"echo":{"reply":"else"}}})");
    EXPECT_EQ(ballot.reply.content, "{}");
    EXPECT_EQ(ballot.reply.thinking, "hm");
    config.options = Json::parse(R"({"thinking":"hm","answers":[{"when":"old","thinking":"","tool_calls":
        [{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}]})");
    Caller calls;
    play(calls, "{}");
    EXPECT_EQ(describe(calls.reply, calls.decoder->info()),
              "content=one  two\nthrée \nthinking=\nended=1 finish=tool_calls model=echo-1\nusage=7/3/-\n"
              R"(tool_calls=[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}])"
              "\nsanitized=0");
    config.options = Json::parse(R"({"answers":[{"when":"else","reply":"of the script itself"}]})");
    Caller none;
    play(none, R"({"extra":{"echo":{"reply":"else"}}})");
    EXPECT_EQ(none.reply.content, "else");
}

TEST_F(EchoTransportTest, MaxTokensCutsTheReply) {
    for (const bool stream : {true, false}) {
        Caller caller(stream);
        play(caller, R"({"max_tokens":2})", stream);
        EXPECT_EQ(caller.reply.content, "one  two");
        EXPECT_EQ(caller.decoder->info().finish_reason, "length");
        EXPECT_EQ(caller.decoder->info().usage.output_tokens, 2);
    }
}

TEST_F(EchoTransportTest, AnswersWithAnError) {
    Caller caller;
    play(caller, R"({"extra":{"echo":{"status":429,"retry_after":"7"}}})");
    EXPECT_EQ(caller.result.outcome, HttpOutcome::ok);
    EXPECT_EQ(caller.result.status, 429);
    EXPECT_EQ(caller.head.retry_after, "7");
    ProviderConfig config;
    config.name = "echo";
    const Error error = provider_for(ProviderKind::echo).error_from_response(config, 429, caller.body);
    EXPECT_STREQ(error.what(), "provider echo answered 429: echo answers with status 429");
}

TEST_F(EchoTransportTest, FailsOnlyTheFirstAttempts) {
    const auto status = [&](const char* options) {
        Caller caller;
        play(caller, options);
        return caller.result.status;
    };
    const char* twice = R"({"extra":{"echo":{"fail_times":2}}})";
    EXPECT_EQ(status(twice), 500);
    EXPECT_EQ(status(twice), 500);
    EXPECT_EQ(status(twice), 200);
    EXPECT_EQ(status(R"({"seed":1,"extra":{"echo":{"fail_times":1,"status":503,"key":"k"}}})"), 503);
    EXPECT_EQ(status(R"({"seed":2,"extra":{"echo":{"fail_times":1,"status":503,"key":"k"}}})"), 200);
}

TEST_F(EchoTransportTest, BreaksOff) {
    Caller caller;
    play(caller, R"({"extra":{"echo":{"truncate_after":2}}})");
    EXPECT_EQ(caller.result.outcome, HttpOutcome::broken);
    EXPECT_EQ(caller.result.status, 200);
    EXPECT_EQ(caller.reply.content, "one  two");
    EXPECT_FALSE(caller.decoder->info().ended);
    Caller whole(false);
    play(whole, R"({"extra":{"echo":{"truncate_after":2}}})", false);
    EXPECT_EQ(whole.result.outcome, HttpOutcome::broken);
    EXPECT_FALSE(whole.decoder->info().ended);
}

TEST_F(EchoTransportTest, HangsUntilATimeOut) {
    Caller silent;
    play(silent, R"({"extra":{"echo":{"hang":true}}})");
    EXPECT_EQ(silent.result.outcome, HttpOutcome::total_timeout);
    EXPECT_TRUE(silent.result.request_sent);
    EXPECT_EQ(elapsed(), milliseconds(600'000));
    start = clock.time;
    Caller stuck;
    play(stuck, R"({"extra":{"echo":{"hang":true,"truncate_after":1}}})");
    EXPECT_EQ(stuck.result.outcome, HttpOutcome::idle_timeout);
    EXPECT_EQ(stuck.reply.content, "one");
    EXPECT_EQ(elapsed(), milliseconds(60'000));
}

TEST_F(EchoTransportTest, HonoursTheLimitsOfTheRequest) {
    Caller slow;
    HttpRequest slow_request = request(R"({"extra":{"echo":{"tokens_per_second":1}}})");
    slow_request.idle_timeout = milliseconds(500);
    transport.start(slow_request, slow);
    run_until_done(slow);
    EXPECT_EQ(slow.result.outcome, HttpOutcome::idle_timeout);
    EXPECT_EQ(slow.reply.content, "one");

    Caller late;
    HttpRequest late_request = request(R"({"extra":{"echo":{"tokens_per_second":1}}})");
    late_request.total_timeout = milliseconds(1'500);
    transport.start(late_request, late);
    clock.time += milliseconds(60'000);
    transport.run();
    EXPECT_EQ(late.result.outcome, HttpOutcome::total_timeout);
    EXPECT_EQ(late.reply.content, "one  two");

    Caller large;
    HttpRequest large_request = request("{}");
    large_request.max_response_bytes = 400;
    transport.start(large_request, large);
    transport.run();
    EXPECT_EQ(large.result.outcome, HttpOutcome::too_large);
    EXPECT_LE(large.body.size(), 400u);
    EXPECT_GT(large.body.size(), 0u);
}

TEST_F(EchoTransportTest, RefusesTheConnection) {
    Caller caller;
    play(caller, R"({"extra":{"echo":{"refuse":true}}})");
    EXPECT_EQ(caller.result.outcome, HttpOutcome::connect_failed);
    EXPECT_FALSE(caller.result.request_sent);
    EXPECT_EQ(caller.result.status, 0);
}

TEST_F(EchoTransportTest, RefusesRequestsOfOthers) {
    for (int i = 0; i < 4; ++i) {
        HttpRequest bad = request("{}");
        if (i == 0) bad.url = "https://example.com/";
        if (i == 1) bad.headers.push_back("X: a\r\nY: b");
        if (i == 2) bad.body = "{\"model\":1}";
        if (i == 3) bad.body.clear();
        Caller caller;
        transport.start(bad, caller);
        EXPECT_EQ(caller.finished, 0);
        transport.run();
        EXPECT_EQ(caller.finished, 1);
        EXPECT_EQ(caller.result.outcome, HttpOutcome::invalid_request);
        EXPECT_FALSE(caller.result.request_sent);
        EXPECT_NE(caller.result.message, "");
    }
}

TEST_F(EchoTransportTest, AHandlerMayAbort) {
    Caller no_head;
    no_head.accept_head = false;
    play(no_head, "{}");
    EXPECT_EQ(no_head.result.outcome, HttpOutcome::aborted);
    EXPECT_EQ(no_head.body, "");
    Caller no_body;
    no_body.accept_body = false;
    play(no_body, "{}");
    EXPECT_EQ(no_body.result.outcome, HttpOutcome::aborted);
    EXPECT_EQ(no_body.finished, 1);
}

TEST_F(EchoTransportTest, ACancelledCallIsSilent) {
    Caller caller;
    const auto id = transport.start(request(R"({"extra":{"echo":{"latency_ms":5}}})"), caller);
    transport.cancel(id);
    transport.cancel(id);
    EXPECT_FALSE(transport.next_deadline().has_value());
    clock.time += milliseconds(10);
    transport.run();
    EXPECT_EQ(caller.finished, 0);
}

// Starts another call, and cancels a third, from on_finished.
class Chain final : public HttpHandler {
public:
    explicit Chain(EchoTransport& transport) : transport_(transport) {}
    bool on_head(const HttpResponseHead&) noexcept override { return true; }
    bool on_body(std::string_view) noexcept override { return true; }
    void on_finished(const HttpResult&) noexcept override {
        ++finished;
        transport_.cancel(victim);
        transport_.start(next, *this);
    }
    HttpRequest next;
    Transport::Id victim = 0;
    int finished = 0;

private:
    EchoTransport& transport_;
};

TEST_F(EchoTransportTest, AHandlerMayStartAndCancelWhenItsCallEnds) {
    Chain chain(transport);
    chain.next = request("{}");
    transport.start(chain.next, chain);
    Caller victim;
    chain.victim = transport.start(request("{}"), victim);
    transport.run();
    EXPECT_EQ(chain.finished, 1);
    EXPECT_EQ(victim.finished, 0);
    transport.run();
    EXPECT_EQ(chain.finished, 2);
}

TEST_F(EchoTransportTest, PlaysThousandsOfCallsSideBySide) {
    constexpr int calls = 5'000;
    std::vector<std::unique_ptr<Caller>> callers;
    const HttpRequest one = request(R"({"extra":{"echo":{"tokens_per_second":100}}})");
    for (int i = 0; i < calls; ++i) {
        callers.push_back(std::make_unique<Caller>());
        transport.start(one, *callers.back());
        clock.time += std::chrono::microseconds(3);
    }
    int runs = 0;
    while (const auto next = transport.next_deadline()) {
        clock.time = std::max(clock.time, *next);
        transport.run();
        ++runs;
    }
    for (const auto& caller : callers) {
        ASSERT_EQ(caller->reply.content, "one  two\nthrée ");
        ASSERT_TRUE(caller->decoder->info().ended);
    }
    EXPECT_LE(runs, 3 * calls);
}

}  // namespace
}  // namespace pgchat
