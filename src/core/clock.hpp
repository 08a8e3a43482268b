// Time as an argument, so that time-outs, retries, token rates and budgets are testable without waiting.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgchat {

using Milliseconds = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const noexcept = 0;
    // Seconds since 1970 in UTC, for what ends with a day or a month.
    virtual std::int64_t unix_seconds() const noexcept = 0;
};

class SteadyClock final : public Clock {
public:
    TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
    std::int64_t unix_seconds() const noexcept override {
        return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
};

}  // namespace pgchat
