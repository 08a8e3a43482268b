// Whether a provider is worth asking: after failures in a row it is left alone for a while, then tried with one call.
#pragma once

#include <cstdint>

#include "core/clock.hpp"

namespace pgchat {

struct BreakerPolicy {
    int failures = 10;          // in a row, that open it; 0: never opens
    Milliseconds pause{5'000};  // before the first probe; doubles with each probe that fails
    Milliseconds max_pause{300'000};
};

enum class BreakerState { closed, open, half_open };

// The state's name as metrics show it; static storage.
const char* breaker_state_name(BreakerState state) noexcept;

class CircuitBreaker {
public:
    // Says to which time of the breaker an attempt belongs: outcomes of an earlier one change nothing.
    using Permit = std::uint32_t;

    // Whether an attempt may begin. While open, none before retry_at(); then one, the probe, on whose outcome it
    // depends; another one when nothing has been heard of that for as long as the pause was.
    bool may_begin(TimePoint now) const noexcept { return !open_ || now >= retry_at_; }
    // An attempt begins; may_begin() holds.
    Permit begin(TimePoint now) noexcept;
    // The provider answered the attempt, were it to refuse it.
    void succeeded(Permit permit) noexcept;
    // It could not be reached, failed (5xx), or kept silent. `random` (0 to 1) spreads the pause over [pause/2, pause].
    void failed(const BreakerPolicy& policy, Permit permit, TimePoint now, double random) noexcept;
    // The attempt ended otherwise, such as by its user's wish, before either was known.
    void abandoned(Permit permit, TimePoint now) noexcept;

    BreakerState state() const noexcept;
    // While open: when the next attempt may begin.
    TimePoint retry_at() const noexcept { return retry_at_; }

private:
    bool open_ = false;
    bool probing_ = false;
    int failures_ = 0;  // in a row, while closed
    int openings_ = 0;  // since it was last closed
    Permit permit_ = 0;
    Milliseconds pause_{0};
    TimePoint retry_at_{};
};

}  // namespace pgchat
