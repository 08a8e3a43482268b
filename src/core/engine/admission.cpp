#include "core/engine/admission.hpp"

#include <algorithm>

namespace pgchat {

void Admission::add(Call& call) {
    const ProviderConfig& provider = *call.spec().provider;
    ProviderGate& gate = gates_.of(provider);
    gate.max_calls = provider.max_concurrent_calls;
    gate.durable_waiting += call.spec().durable;
    calls_.emplace(call.number, &call);
    queue_.push(provider.name, call.spec().user_id, call.number);
    queue_.release(provider.name);
}

void Admission::remove(Call& call) {
    if (calls_.erase(call.number) == 0) return;
    queue_.erase(call.number);
    gates_.of(*call.spec().provider).durable_waiting -= call.spec().durable;
}

Call* Admission::take() {
    while (const auto ticket = queue_.front()) {
        Call& call = *calls_.at(*ticket);
        const std::string& name = call.spec().provider->name;
        ProviderGate& gate = gates_.of(*call.spec().provider);
        if (!gate.has_room()) {
            queue_.hold(name);
            continue;
        }
        queue_.pop();
        calls_.erase(call.number);
        gate.durable_waiting -= call.spec().durable;
        ++gate.in_flight;
        return &call;
    }
    return nullptr;
}

void Admission::give_back(Call& call, TimePoint now) {
    ProviderGate& gate = gates_.of(*call.spec().provider);
    gate.breaker.abandoned(call.permit, now);
    --gate.in_flight;
    if (gate.has_room()) queue_.release(call.spec().provider->name);
}

void Admission::begin_attempt(Call& call, TimePoint now) {
    ProviderGate& gate = gates_.of(*call.spec().provider);
    if (!gate.breaker.may_begin(now)) throw suspended_error(*call.spec().provider, gate, now);
    call.permit = gate.breaker.begin(now);
}

void Admission::attempt_answered(Call& call) {
    gates_.of(*call.spec().provider).breaker.succeeded(call.permit);
}

void Admission::attempt_failed(Call& call, ProviderHealth health, bool is_last, TimePoint now, double random) {
    CircuitBreaker& breaker = gates_.of(*call.spec().provider).breaker;
    if (health == ProviderHealth::fails && !is_last && breaker.state() == BreakerState::closed) return;
    if (health == ProviderHealth::fails)
        breaker.failed(policy_, call.permit, now, random);
    else if (health == ProviderHealth::answers)
        breaker.succeeded(call.permit);
    else
        breaker.abandoned(call.permit, now);
}

bool Admission::has_ready_durable() const noexcept {
    return std::any_of(gates_.all().begin(), gates_.all().end(),
                       [](const auto& gate) { return gate.second.has_room() && gate.second.durable_waiting > 0; });
}

std::vector<std::string> Admission::full_providers() const {
    std::vector<std::string> full;
    for (const auto& [name, gate] : gates_.all())
        if (!gate.has_room() && queue_.waiting_for(name) > 0) full.push_back(name);
    return full;
}

}  // namespace pgchat
