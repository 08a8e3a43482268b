#include "core/engine/provider_gate.hpp"

#include <gtest/gtest.h>

#include "support/fake_clock.hpp"

namespace pgchat {
namespace {

TEST(ProviderGate, HasRoomUpToItsCap) {
    ProviderGate gate;
    gate.in_flight = 1'000'000;
    EXPECT_TRUE(gate.has_room()) << "without a cap";
    gate.max_calls = 2;
    gate.in_flight = 1;
    EXPECT_TRUE(gate.has_room());
    gate.in_flight = 2;
    EXPECT_FALSE(gate.has_room());
}

TEST(ProviderGate, IsOneForEachName) {
    ProviderGates gates;
    ProviderConfig acme, zeta;
    acme.name = "acme";
    zeta.name = "zeta";
    ProviderGate& gate = gates.of(acme);
    EXPECT_NE(&gates.of(zeta), &gate);
    EXPECT_EQ(&gates.of(acme), &gate);
    EXPECT_EQ(gates.all().size(), 2u);
    EXPECT_EQ(gates.suspended(), 0u);
    gate.breaker.failed({1, Milliseconds(2'500), Milliseconds(2'500)}, 0, TimePoint{}, 1.0);
    EXPECT_EQ(gates.suspended(), 1u);
}

TEST(ProviderGate, ASuspensionSaysWhenItEnds) {
    FakeClock clock;
    ProviderConfig acme;
    acme.name = "acme";
    ProviderGate gate;
    gate.breaker.failed({1, Milliseconds(2'500), Milliseconds(2'500)}, 0, clock.time, 1.0);
    const Error error = suspended_error(acme, gate, clock.time);
    EXPECT_EQ(error.code(), ErrorCode::provider_suspended);
    EXPECT_NE(error.hint().find("in 3 s;"), std::string::npos) << error.hint();
    clock.advance(Milliseconds(5'000));
    EXPECT_NE(suspended_error(acme, gate, clock.time).hint().find("in 1 s;"), std::string::npos);
}

}  // namespace
}  // namespace pgchat
