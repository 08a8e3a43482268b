// Test support: plays echo requests against a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/llm/echo_transport.hpp"
#include "encode_support.hpp"
#include "reply_recorder.hpp"

namespace pgchat {

using std::chrono::milliseconds;

class ManualClock final : public Clock {
public:
    TimePoint now() const noexcept override { return time; }
    std::int64_t unix_seconds() const noexcept override { return 0; }
    TimePoint time{std::chrono::hours(1)};
};

class Caller final : public HttpHandler {
public:
    explicit Caller(bool stream = true) : decoder(provider_for(ProviderKind::echo).decoder(stream)) {}

    bool on_head(const HttpResponseHead& response) noexcept override {
        head = response;
        return accept_head;
    }
    bool on_body(std::string_view bytes) noexcept override {
        body.append(bytes);
        if (head.status == 200) decoder->feed(bytes, reply);
        return accept_body;
    }
    void on_finished(const HttpResult& r) noexcept override {
        ++finished;
        result = r;
        if (head.status == 200) decoder->finish(reply);
    }

    std::unique_ptr<ReplyDecoder> decoder;
    ReplyRecorder reply;
    HttpResponseHead head;
    HttpResult result;
    std::string body;
    int finished = 0;
    bool accept_head = true;
    bool accept_body = true;
};

class EchoTransportTest : public testing::Test {
protected:
    HttpRequest request(std::string_view options, bool stream = true, std::string_view messages = default_messages) {
        return provider_for(ProviderKind::echo).encode(config, "echo-1", chat(messages, options, "Be brief"), stream);
    }
    void run_until_done(const Caller& caller) {
        while (caller.finished == 0) {
            transport.run();
            if (caller.finished != 0) break;
            ASSERT_TRUE(transport.next_deadline().has_value());
            clock.time = *transport.next_deadline();
        }
    }
    void play(Caller& caller, std::string_view options, bool stream = true) {
        transport.start(request(options, stream), caller);
        run_until_done(caller);
    }
    milliseconds elapsed() const { return std::chrono::duration_cast<milliseconds>(clock.time - start); }

    static constexpr std::string_view default_messages =
        R"([{"role":"user","content":"old"},{"role":"assistant","content":"yes"},{"role":"user","content":"one  two\nthrée "}])";
    ManualClock clock;
    TimePoint start = clock.time;
    EchoTransport transport{clock};
    ProviderConfig config;
};

}  // namespace pgchat
