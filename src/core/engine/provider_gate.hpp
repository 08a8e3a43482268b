// What the engine knows of each provider besides its configuration: how many calls it has, how many it may have, and
// whether it is worth asking.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "core/engine/circuit_breaker.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

struct ProviderGate {
    std::size_t max_calls = 0;  // at once; 0: no cap
    std::size_t in_flight = 0;
    std::size_t durable_waiting = 0;
    CircuitBreaker breaker;

    bool has_room() const noexcept { return max_calls == 0 || in_flight < max_calls; }
};

class ProviderGates {
public:
    // The gate of the provider of that name, which stays where it is; a new one has no cap and is not suspended.
    ProviderGate& of(const ProviderConfig& provider);

    // By the providers' names.
    const std::map<std::string, ProviderGate>& all() const noexcept { return gates_; }

    // How many are not asked for now, or only with a probe.
    std::size_t suspended() const noexcept;

private:
    std::map<std::string, ProviderGate> gates_;
};

// Why a call does not go to a provider whose breaker is open.
Error suspended_error(const ProviderConfig& provider, const ProviderGate& gate, TimePoint now);

}  // namespace pgchat
