// The engine against a model of it: thousands of random steps, with an exact account of what every call must become.
#include <gtest/gtest.h>

#include <random>

#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

// What is known of one call from outside.
struct Expected {
    std::string content;  // sent by the provider, to a request that is still open
    std::string thinking;
    bool cancelled = false;
};

class EngineModel {
public:
    explicit EngineModel(unsigned seed) : random_(seed) {
        limits_.max_calls = 1 + pick(20);
        limits_.flush_interval = Milliseconds(pick(3) * 25);
        limits_.retention = Milliseconds(pick(3) * 500);
        limits_.max_retained_bytes = pick(2) == 0 ? 50'000 : 1u << 30;
        limits_.call.retry.base_delay = Milliseconds(100);
        engine_.set_limits(limits_);
        open_accounts(engine_);
    }

    void step() {
        const unsigned what = pick(100);
        if (what < 15)
            submit();
        else if (what < 75)
            act_as_provider();
        else if (what < 78)
            cancel_one();
        else if (what < 80)
            keep_one();
        else if (what < 90)
            advance();
        else
            listener_.settle(engine_);
        if (pick(2) == 0) run();
    }

    // Lets everything come to its end.
    void drain() {
        listener_.kept.clear();
        for (int i = 0; i < 100'000 && listener_.ended.size() < submitted_; ++i) {
            run();
            if (const auto next = engine_.next_deadline()) clock_.time = std::max(clock_.time, *next);
        }
        listener_.settle(engine_);
        for (int i = 0; i < 100'000 && engine_.next_deadline(); ++i) {
            clock_.time = std::max(clock_.time, *engine_.next_deadline());
            run();
        }
    }

    void check_end() {
        EXPECT_EQ(listener_.ended.size(), submitted_);
        EXPECT_EQ(engine_.counters().submitted, submitted_);
        EXPECT_EQ(engine_.counters().completed + engine_.counters().failed, submitted_);
        EXPECT_EQ(listener_.released.size(), submitted_) << "memory of finished calls is given back";
        engine_.for_each([](Call&) { ADD_FAILURE() << "a call is left"; });
        EXPECT_EQ(engine_.in_flight(), 0u);
        EXPECT_EQ(engine_.waiting(), 0u);
        EXPECT_EQ(engine_.next_deadline(), std::nullopt);
        EXPECT_TRUE(network_.open.empty());
        for (const auto& [id, expected] : expected_) check_events(id, expected);
    }

private:
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

    void advance() {
        clock_.advance(Milliseconds(pick(200)));
        run();
    }

    void submit() {
        const bool echo = pick(4) == 0;
        CallSpec spec = fake_spec(++submitted_, pick(4) != 0, echo ? ProviderKind::echo : ProviderKind::openai);
        spec.timeout = Milliseconds(200 + pick(20'000));
        if (echo) {
            spec.request.options.extra = Json::parse(R"({"echo":{"reply":"one two three","tokens_per_second":20}})");
            echoes_.insert(spec.request_id);
        }
        expected_[spec.request_id];
        engine_.submit(std::move(spec));
    }

    void act_as_provider() {
        if (network_.open.empty()) return;
        auto chosen = network_.open.begin();
        std::advance(chosen, pick(static_cast<unsigned>(network_.open.size())));
        const Transport::Id id = chosen->first;
        Expected& expected = expected_.at(call_of(chosen->second).spec().request_id);
        if (chosen->second.status == 0) {
            answer_or_fail(id);
        } else if (const unsigned what = pick(10); what < 7) {
            const std::string text = std::to_string(random_());
            const bool thinks = pick(3) == 0;
            (thinks ? expected.thinking : expected.content) += text;
            network_.body(id, thinks ? openai_thinking(text) : openai_content(text));
        } else if (what < 9) {
            network_.body(id, openai_usage(10, 5) + openai_done());
            network_.end(id);
        } else {
            network_.end(id, HttpOutcome::broken);
        }
        run();
    }

    void answer_or_fail(Transport::Id id) {
        switch (pick(8)) {
            case 0:
                return network_.answer(id, pick(2) == 0 ? 429 : 503, "busy", pick(2) == 0 ? "1" : "");
            case 1:
                return network_.answer(id, 400, R"({"error":{"message":"no"}})");
            case 2:
                return network_.end(id, HttpOutcome::connect_failed, pick(2) == 0);
            default:
                return network_.head(id, 200);
        }
    }

    Call* any_call() {
        if (submitted_ == 0) return nullptr;
        return engine_.find(numbered_uuid(1 + random_() % submitted_));
    }

    void cancel_one() {
        Call* const call = any_call();
        if (call == nullptr || call->is_finished()) return;
        engine_.cancel(*call);
        expected_.at(call->spec().request_id).cancelled = true;
    }

    void keep_one() {
        if (Call* const call = any_call()) listener_.kept.insert(call->spec().request_id);
        if (listener_.kept.size() > 10) listener_.kept.clear();
    }

    Call& call_of(const FakeTransport::Open& request) { return *static_cast<Call*>(request.handler); }

    void run() {
        for (const auto& [id, request] : network_.open)
            if (call_of(request).deadline() <= clock_.now()) network_.end(id, HttpOutcome::total_timeout);
        engine_.run();
        network_.deadline.reset();
        for (const auto& [id, request] : network_.open)
            network_.deadline = std::min(network_.deadline.value_or(TimePoint::max()), call_of(request).deadline());
        EXPECT_LE(engine_.in_flight(), limits_.max_calls);
        EXPECT_LE(network_.most_open, limits_.max_calls);
        for (const Uuid& id : listener_.finished) check_result(*engine_.find(id));
    }

    void check_result(const Call& call) {
        const Uuid id = call.spec().request_id;
        const Expected& expected = expected_.at(id);
        if (!echoes_.contains(id)) {
            EXPECT_EQ(call.log().content(), expected.content);
            EXPECT_EQ(call.log().thinking(), expected.thinking);
        } else if (call.result().status == CallStatus::complete) {
            EXPECT_EQ(call.log().content(), "one two three");
        }
        EXPECT_EQ(call.result().status == CallStatus::cancelled, expected.cancelled);
        EXPECT_EQ(call.result().error.has_value(), call.result().status != CallStatus::complete);
        EXPECT_LE(call.result().latency, call.spec().timeout + Milliseconds(200)) << "waiting and retries count";
        EXPECT_TRUE(call.result().status != CallStatus::incomplete || call.has_text());
    }

    // All text in order and once, then the end, once.
    void check_events(const Uuid& id, const Expected& expected) {
        const std::vector<std::string>& events = listener_.events[id];
        ASSERT_FALSE(events.empty());
        std::string content, thinking;
        int ends = 0;
        for (const std::string& event : events) {
            const std::string kind = event.substr(0, event.find(':'));
            const std::string text = event.substr(event.find(':') + 1);
            EXPECT_EQ(ends, 0) << "nothing follows the end";
            if (kind == "content")
                content += text;
            else if (kind == "thinking")
                thinking += text;
            else
                ++ends;
        }
        EXPECT_EQ(ends, 1);
        if (echoes_.contains(id)) return;
        EXPECT_EQ(content, expected.content);
        EXPECT_EQ(thinking, expected.thinking);
    }

    std::mt19937 random_;
    FakeClock clock_;
    FakeTransport network_;
    EchoTransport echo_{clock_};
    FakeListener listener_;
    EngineLimits limits_;
    Engine engine_{clock_, network_, echo_, listener_};
    std::map<Uuid, Expected> expected_;
    std::set<Uuid> echoes_;
    std::uint64_t submitted_ = 0;
};

TEST(EngineModel, EveryCallEndsOnceWithAllItsText) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        EngineModel model(seed);
        for (int i = 0; i < 3'000 && !testing::Test::HasFailure(); ++i) model.step();
        model.drain();
        model.check_end();
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace pgchat
