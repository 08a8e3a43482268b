// The engine's part in signed tokens: it opens the private keys and secrets, and no other process has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/secret_vault.hpp"
#include "core/jose/jose_key.hpp"
#include "pg/engine_statement.hpp"
#include "pg/shared_state.hpp"

namespace pgchat::pg {

class EngineTokens {
public:
    EngineTokens(EngineSlot& slot, SecretVault& vault) : slot_(slot), vault_(vault) {}

    // A token over the claims by the active key of the algorithm; empty where there is none.
    // Throws Error: master_key_unavailable, unsealing_failed where there is one that cannot be opened;
    // engine_unavailable.
    std::string sign(std::string_view claims, JoseAlgorithm algorithm);

    // Whether an HS256 token is signed by the secret it names, or, where it names none, by any imported one.
    bool verifies(std::string_view token);

    // The master key may be another one now.
    void forget() noexcept { is_loaded_ = false; }

private:
    struct Key {
        std::string kid;
        JoseAlgorithm algorithm;
        std::optional<JoseKey> key;  // or why there is none
        std::optional<Error> error;
        bool is_active;
        bool is_imported;
        std::int64_t valid_until;  // microseconds of the server's epoch
    };

    void refresh();
    Key open(const Row& row);
    void load();

    EngineSlot& slot_;
    SecretVault& vault_;
    std::vector<Key> keys_;
    std::uint64_t generation_ = 0;
    bool is_loaded_ = false;
};

}  // namespace pgchat::pg
