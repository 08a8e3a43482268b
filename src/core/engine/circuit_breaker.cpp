#include "core/engine/circuit_breaker.hpp"

#include <algorithm>
#include <array>

namespace pgchat {

const char* breaker_state_name(BreakerState state) noexcept {
    constexpr std::array names{"closed", "open", "half_open"};
    return names[static_cast<std::size_t>(state)];
}

CircuitBreaker::Permit CircuitBreaker::begin(TimePoint now) noexcept {
    if (open_) {
        probing_ = true;
        retry_at_ = now + pause_;
    }
    return permit_;
}

void CircuitBreaker::succeeded(Permit permit) noexcept {
    if (permit != permit_) return;
    failures_ = 0;
    if (!open_) return;
    open_ = probing_ = false;
    openings_ = 0;
    ++permit_;
}

void CircuitBreaker::failed(const BreakerPolicy& policy, Permit permit, TimePoint now, double random) noexcept {
    if (permit != permit_) return;
    if (!open_ && (policy.failures <= 0 || ++failures_ < policy.failures)) return;
    const Milliseconds full = std::min(policy.max_pause, policy.pause * (std::int64_t{1} << std::min(openings_, 20)));
    pause_ = Milliseconds(static_cast<std::int64_t>(static_cast<double>(full.count()) * (0.5 + 0.5 * random)));
    retry_at_ = now + pause_;
    open_ = true;
    probing_ = false;
    failures_ = 0;
    ++openings_;
    ++permit_;
}

void CircuitBreaker::abandoned(Permit permit, TimePoint now) noexcept {
    if (permit != permit_ || !probing_) return;
    probing_ = false;
    retry_at_ = now;
}

BreakerState CircuitBreaker::state() const noexcept {
    if (!open_) return BreakerState::closed;
    return probing_ ? BreakerState::half_open : BreakerState::open;
}

}  // namespace pgchat
