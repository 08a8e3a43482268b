// The sessions that some backend of the server has looked up in the last seconds, by the hash of their token: most
// requests, whichever pooled connection they come through, need no look-up. A revocation empties it.
#pragma once

#include <optional>

#include "core/crypto/known_sessions.hpp"
#include "pg/postgres.hpp"
#include "pg/session_lookup.hpp"

extern "C" {
#include "storage/spin.h"
}

namespace pgchat::pg {

// One of many, in the server's shared memory.
struct SessionCacheSet {
    slock_t lock;
    KnownSessions sessions;
};

void initialise_session_cache(SessionCacheSet* sets, int count) noexcept;

// What is known of the token; nullopt where it is to be looked up.
std::optional<SessionUser> cached_session(const SessionToken& token, const Sha256Digest& token_hash);

// Keeps what a look-up has found. revocations: how many there had been before it.
void cache_session(const SessionToken& token, const Sha256Digest& token_hash, const SessionUser& session,
                   std::uint64_t revocations);

}  // namespace pgchat::pg
