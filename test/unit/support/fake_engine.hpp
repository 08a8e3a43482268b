// Test support: an engine with everything around it faked but the echo transport.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/engine/engine.hpp"
#include "core/llm/echo_transport.hpp"
#include "support/fake_calls.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_listener.hpp"
#include "support/fake_transport.hpp"

namespace pgchat {

// Accounts without limits, of the user of fake_spec() and of the installation.
inline void open_accounts(Engine& engine) {
    engine.accounts().put(Uuid{}, {}, 0);
    engine.accounts().put(fake_spec(1).user_id, {}, 0);
}

class FakeEngineTest : public testing::Test {
protected:
    FakeEngineTest() {
        engine.set_limits(limits);
        open_accounts(engine);
    }

    Call& submit(std::uint64_t number, bool stream = true) { return engine.submit(fake_spec(number, stream)); }
    // The same for any call, whose user has an account without limits.
    Call& submit_spec(CallSpec spec) {
        engine.accounts().put(spec.user_id, {}, 0);
        return engine.submit(std::move(spec));
    }
    Call* find(std::uint64_t number) { return engine.find(numbered_uuid(number)); }
    const std::vector<std::string>& events(std::uint64_t number) { return listener.events[numbered_uuid(number)]; }
    void run_at(int milliseconds) {
        clock.time = begin + Milliseconds(milliseconds);
        engine.run();
    }
    // Submits and begins a call whose reply has the head sent; its transport id.
    Transport::Id begin_reply(std::uint64_t number) {
        submit(number);
        engine.run();
        network.head(network.last_id, 200);
        return network.last_id;
    }
    void feed(Transport::Id id, std::string bytes) {
        network.body(id, std::move(bytes));
        engine.run();
    }

    FakeClock clock;
    TimePoint begin = clock.time;
    FakeTransport network;
    EchoTransport echo{clock};
    FakeListener listener;
    EngineLimits limits;
    Engine engine{clock, network, echo, listener};
};

}  // namespace pgchat
