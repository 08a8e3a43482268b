// Calls that allow it (options.cache) get the reply of an earlier identical one, or wait for that of one under way.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/engine/call.hpp"
#include "core/engine/identical_calls.hpp"
#include "core/engine/response_cache.hpp"

namespace pgchat {

struct SharingPolicy {
    std::size_t max_bytes = 16u << 20;  // of the replies that are kept; 0 keeps none
    Milliseconds ttl{3'600'000};        // where the call does not say
    bool across_users = false;
};

class ReplySharing {
public:
    void set_policy(const SharingPolicy& policy);

    // What becomes of a call that comes.
    enum class Place {
        alone,     // it shares nothing
        leader,    // it goes on, and others may come to wait for its reply
        follower,  // it waits for a leader's
        answered   // reply() has its answer
    };
    // Throws Error where its request cannot be written. Called at most once while a call is in.
    Place enter(Call& call, TimePoint now);
    // The answer of the last call that entered as answered.
    const CachedReply& reply() const noexcept { return *reply_; }

    struct Departure {
        std::vector<IdenticalCalls::Number> followers;  // that waited for it, oldest first; they are not in any more
        std::shared_ptr<const CachedReply> reply;       // for them; null where it has none to give
    };
    // A call that entered as leader or follower has finished.
    Departure leave(Call& call, TimePoint now);

    const ResponseCache& cache() const noexcept { return cache_; }

private:
    Milliseconds ttl_of(const Call& call) const noexcept;

    SharingPolicy policy_;
    ResponseCache cache_;
    IdenticalCalls identical_;
    std::shared_ptr<const CachedReply> reply_;
};

// Names the reply that a call asks for: equal for calls that send the same to the same model of the same provider, for
// one user or, without `user`, for all. Throws Error where the request cannot be written.
Sha256Digest reply_key(const CallSpec& spec, const std::optional<Uuid>& user);

}  // namespace pgchat
