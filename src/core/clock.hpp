// Time as an argument, so that time-outs, retries and token rates are testable without waiting.
#pragma once

#include <chrono>

namespace pgchat {

using Milliseconds = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const noexcept = 0;
};

class SteadyClock final : public Clock {
public:
    TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
};

}  // namespace pgchat
