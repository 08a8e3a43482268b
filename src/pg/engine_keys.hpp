// Providers' and users' keys, as the engine reads and opens them, and when users' keys were last used.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "core/crypto/secret_vault.hpp"
#include "core/engine/account_keys.hpp"
#include "pg/postgres.hpp"

namespace pgchat::pg {

// The keys of providers that were set in this database.
class ProviderKeys {
public:
    explicit ProviderKeys(SecretVault& vault) : vault_(vault) {}

    // Reads and opens them; inside a transaction of the engine's.
    void load();
    // Gives the provider its key: the one that was set, else that of the first variable of the environment which
    // options -> api_key_env names and which is there.
    void give(ProviderConfig& provider) const;

private:
    SecretVault& vault_;
    std::unordered_map<Uuid, OwnKey, UuidHash> keys_;
};

// The keys of these users' own, one after the other; inside a transaction of the engine's.
void load_own_keys(SecretVault& vault, Datum user_ids,
                   const std::function<void(const Uuid& user_id, const Uuid& provider_id, OwnKey key)>& take);

// Notes when users' keys were used: the first use at once, others a minute later at the earliest.
class KeyUses {
public:
    explicit KeyUses(const Clock& clock) : clock_(clock) {}

    void used(const Uuid& user_id, const Uuid& key_id);
    // Writes what is due.
    void run();
    // When there is something to write; nullopt where there is not.
    std::optional<TimePoint> next_run() const;

private:
    struct Use {
        Uuid user_id;
        bool is_new = false;  // not written yet
        TimePoint due{};      // when it may be written
    };

    const Clock& clock_;
    std::unordered_map<Uuid, Use, UuidHash> uses_;  // by the key's id
    std::optional<TimePoint> next_run_;
};

}  // namespace pgchat::pg
