#include "pg/session_cache.hpp"

#include <array>
#include <cstring>

#include "pg/lifecycle.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

// What nothing announces, a row changed while triggers were switched off for one, is noticed this late.
constexpr std::int64_t cached_trust_us = 10LL * 1000 * 1000;

struct Entry {
    Sha256Digest token_hash;
    Uuid user_id;
    Uuid session_id;
    std::uint64_t revocations;
    TimestampTz valid_until;  // 0: the place is free
    char role[16];
};

// Direct-mapped: a token has one place, of which its hash, as good as random, is the index.
std::array<Entry, 256> entries;

}  // namespace

std::optional<SessionUser> cached_session(const SessionToken& token, const Sha256Digest& token_hash) {
    const Entry& entry = entries[token_hash[0]];
    if (entry.token_hash != token_hash || entry.user_id != token.user_id ||
        entry.valid_until <= GetCurrentStatementStartTimestamp() ||
        entry.revocations != pg_atomic_read_u64(&shared->revocations) || revocation_is_due())
        return std::nullopt;
    SessionUser session;
    session.session_id = entry.session_id;
    session.role = entry.role;
    session.valid_until_us = entry.valid_until;
    return session;
}

void cache_session(const SessionToken& token, const Sha256Digest& token_hash, const SessionUser& session,
                   std::uint64_t revocations) {
    // A standby learns of no revocation but by looking.
    if (session.mfa_pending || session.is_uncommitted || session.role.size() >= sizeof(Entry::role) ||
        revocation_is_due() || RecoveryInProgress())
        return;
    Entry& entry = entries[token_hash[0]];
    entry.token_hash = token_hash;
    entry.user_id = token.user_id;
    entry.session_id = session.session_id;
    entry.revocations = revocations;
    entry.valid_until =
        std::min<TimestampTz>(GetCurrentStatementStartTimestamp() + cached_trust_us, session.valid_until_us);
    strlcpy(entry.role, session.role.c_str(), sizeof entry.role);
}

}  // namespace pgchat::pg
