// Signing tokens, from a backend's side: private keys are made here and sealed at once, and only the engine opens them.
#pragma once

#include <string>
#include <string_view>

#include "core/jose/jose_key.hpp"
#include "core/uuid.hpp"

namespace pgchat::pg {

// A new row of chat_private.signing_keys.
struct SealedKey {
    Uuid id;
    std::string kid;
    std::string public_jwk;  // empty: HS256
    std::string sealed;
};

// The key as a table may hold it. Throws what seal() throws.
SealedKey seal_key(const JoseKey& key);

// A token over the claims, a JSON object, signed by the engine with the active key of the algorithm. Where there is
// none yet, one is made, and stays whatever becomes of this transaction. Throws Error: engine_unavailable,
// read_only_server, unsealing_failed, and what seal() throws.
std::string sign_token(std::string_view claims, JoseAlgorithm algorithm);

// Whether an HS256 token is signed by a secret of this database, which the engine alone knows.
// Throws Error: engine_unavailable, read_only_server.
bool engine_verifies(std::string_view token);

}  // namespace pgchat::pg
