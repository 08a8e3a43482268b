// The sessions that this backend has looked up in the last seconds, by the hash of their token: most requests of a
// pooled connection need no look-up. A revocation empties it.
#pragma once

#include <optional>

#include "core/crypto/sha256.hpp"
#include "pg/session_lookup.hpp"

namespace pgchat::pg {

// What is known of the token; nullopt where it is to be looked up.
std::optional<SessionUser> cached_session(const SessionToken& token, const Sha256Digest& token_hash);

// Keeps what a look-up has found. revocations: how many there had been before it.
void cache_session(const SessionToken& token, const Sha256Digest& token_hash, const SessionUser& session,
                   std::uint64_t revocations);

}  // namespace pgchat::pg
