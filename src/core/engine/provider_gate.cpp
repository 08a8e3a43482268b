#include "core/engine/provider_gate.hpp"

#include <algorithm>

namespace pgchat {

ProviderGate& ProviderGates::of(const ProviderConfig& provider) {
    return gates_[provider.name];
}

std::size_t ProviderGates::suspended() const noexcept {
    return static_cast<std::size_t>(std::count_if(gates_.begin(), gates_.end(), [](const auto& named) {
        return named.second.breaker.state() != BreakerState::closed;
    }));
}

Error suspended_error(const ProviderConfig& provider, const ProviderGate& gate, TimePoint now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(gate.breaker.retry_at() - now).count();
    return Error(ErrorCode::provider_suspended,
                 "provider " + provider.name + " is not asked for now, because it has failed repeatedly",
                 "It is tried again in " + std::to_string(std::max<std::int64_t>(left, 1)) +
                     " s; name other models in options.fallback_models to go on with these meanwhile.");
}

}  // namespace pgchat
