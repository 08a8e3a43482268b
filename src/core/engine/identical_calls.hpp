// Which calls under way ask the same: the first of them, the leader, asks the provider, the others wait for its reply.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/crypto/sha256.hpp"
#include "core/engine/response_cache.hpp"

namespace pgchat {

class IdenticalCalls {
public:
    // The number of a call.
    using Number = std::uint64_t;

    // A call of this key comes. True: it is the first, and leads; false: it follows.
    bool join(const Sha256Digest& key, Number call);
    // A call of this key goes. Its followers, oldest first, where it led: nobody leads them now; else none.
    std::vector<Number> leave(const Sha256Digest& key, Number call);

    bool empty() const noexcept { return groups_.empty(); }

private:
    struct Group {
        Number leader;
        std::vector<Number> followers;
    };

    std::unordered_map<Sha256Digest, Group, DigestHash> groups_;
};

}  // namespace pgchat
