#include "core/engine/identical_calls.hpp"

#include <utility>

namespace pgchat {

bool IdenticalCalls::join(const Sha256Digest& key, Number call) {
    const auto [place, is_new] = groups_.try_emplace(key, Group{call, {}});
    if (!is_new) place->second.followers.push_back(call);
    return is_new;
}

std::vector<IdenticalCalls::Number> IdenticalCalls::leave(const Sha256Digest& key, Number call) {
    const auto found = groups_.find(key);
    if (found == groups_.end()) return {};
    if (found->second.leader != call) {
        std::erase(found->second.followers, call);
        return {};
    }
    std::vector<Number> followers = std::move(found->second.followers);
    groups_.erase(found);
    return followers;
}

}  // namespace pgchat
