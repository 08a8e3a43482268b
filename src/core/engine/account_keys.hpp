// The provider keys that are one user's own, as the engine last read them.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "core/llm/provider.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// A key of a user's own; or why it cannot be used.
struct OwnKey {
    Uuid id;
    SecretText key;
    std::optional<Error> error;
};

class AccountKeys {
public:
    // How a call of this user reaches the provider.
    struct Way {
        std::shared_ptr<const ProviderConfig> provider;
        bool own_key;  // with a key of the user's own
    };

    void add(const Uuid& provider_id, OwnKey key);

    // With the user's own key where there is one and the provider takes keys; else as `shared` says.
    Way to(const std::shared_ptr<const ProviderConfig>& shared);

private:
    struct Entry {
        OwnKey key;
        // The provider with that key, and the one it was made from, which changes when the catalog is read anew.
        std::shared_ptr<const ProviderConfig> own;
        std::shared_ptr<const ProviderConfig> made_from;
    };

    std::unordered_map<Uuid, Entry, UuidHash> entries_;
};

}  // namespace pgchat
