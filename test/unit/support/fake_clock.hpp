// Test support: a clock that stands still until it is told to go on.
#pragma once

#include "core/clock.hpp"

namespace pgchat {

class FakeClock final : public Clock {
public:
    TimePoint now() const noexcept override { return time; }
    std::int64_t unix_seconds() const noexcept override {
        return unix_start + std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count() - 3600;
    }
    void advance(Milliseconds by) { time += by; }

    TimePoint time{std::chrono::hours(1)};
    std::int64_t unix_start = 1'767'225'600;  // 2026-01-01 00:00:00 UTC
};

}  // namespace pgchat
