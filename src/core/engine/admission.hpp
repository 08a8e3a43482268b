// Calls that wait for room, and what lets them begin: their turn, their provider's cap, and its circuit breaker.
#pragma once

#include <unordered_map>
#include <vector>

#include "core/engine/call.hpp"
#include "core/engine/fair_queue.hpp"
#include "core/engine/provider_gate.hpp"

namespace pgchat {

class Admission {
public:
    void set_policy(const BreakerPolicy& policy) noexcept { policy_ = policy; }

    // The call waits for its turn, for room at the provider of its spec().
    void add(Call& call);
    // A call that waits does so no longer.
    void remove(Call& call);
    // Takes the call whose turn it is, and a place at its provider for it; null where none may begin. A provider
    // without room holds up nobody else's calls.
    Call* take();
    // A call that was taken leaves its place at the provider.
    void give_back(Call& call, TimePoint now);

    // Begins an attempt of a call that has a place. Throws Error provider_suspended when its provider is left alone for
    // now.
    void begin_attempt(Call& call, TimePoint now);
    void attempt_answered(Call& call);
    // A failure that is tried again counts only for a provider that is suspended already.
    void attempt_failed(Call& call, ProviderHealth health, bool is_last, TimePoint now, double random);

    // Calls that wait.
    std::size_t size() const noexcept { return queue_.size(); }
    // Those of them whose providers have room.
    std::size_t ready() const noexcept { return queue_.ready(); }
    // Whether a durable call is among these.
    bool has_ready_durable() const noexcept;
    // The providers that have no room for the calls that wait for them, by name.
    std::vector<std::string> full_providers() const;
    const ProviderGates& gates() const noexcept { return gates_; }

private:
    BreakerPolicy policy_;
    ProviderGates gates_;
    FairQueue queue_;
    std::unordered_map<FairQueue::Ticket, Call*> calls_;
};

}  // namespace pgchat
