// Test support: a clock that stands still until it is told to go on.
#pragma once

#include "core/clock.hpp"

namespace pgchat {

class FakeClock final : public Clock {
public:
    TimePoint now() const noexcept override { return time; }
    void advance(Milliseconds by) { time += by; }

    TimePoint time{std::chrono::hours(1)};
};

}  // namespace pgchat
