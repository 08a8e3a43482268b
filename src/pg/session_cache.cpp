#include "pg/session_cache.hpp"

#include <algorithm>
#include <cstring>

#include "pg/lifecycle.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

// What nothing announces, a row changed while triggers were switched off for one, is noticed this late.
constexpr std::int64_t cached_trust_us = 10LL * 1000 * 1000;

// A hash is as good as random.
SessionCacheSet& set_of(const Sha256Digest& token_hash) noexcept {
    std::uint32_t number;
    std::memcpy(&number, token_hash.data(), sizeof number);
    return shared->session_sets[number % static_cast<std::uint32_t>(shared->session_set_count)];
}

}  // namespace

void initialise_session_cache(SessionCacheSet* sets, int count) noexcept {
    for (int i = 0; i < count; ++i) SpinLockInit(&sets[i].lock);
}

std::optional<SessionUser> cached_session(const SessionToken& token, const Sha256Digest& token_hash) {
    if (shared->session_set_count == 0 || revocation_is_due()) return std::nullopt;
    SessionCacheSet& set = set_of(token_hash);
    KnownSession known{};
    SpinLockAcquire(&set.lock);
    if (const KnownSession* const found = set.sessions.find(MyDatabaseId, token_hash)) known = *found;
    SpinLockRelease(&set.lock);
    if (!known.counts(pg_atomic_read_u64(&shared->revocations), GetCurrentTimestamp()) ||
        known.user_id != token.user_id)
        return std::nullopt;
    SessionUser session;
    session.session_id = known.session_id;
    session.role = known.role;
    session.valid_until_us = known.valid_until_us;
    return session;
}

void cache_session(const SessionToken& token, const Sha256Digest& token_hash, const SessionUser& session,
                   std::uint64_t revocations) {
    // A standby learns of no revocation but by looking.
    if (shared->session_set_count == 0 || session.mfa_pending || session.is_uncommitted ||
        session.role.size() >= sizeof(KnownSession::role) || revocation_is_due() || RecoveryInProgress())
        return;
    const TimestampTz now = GetCurrentTimestamp();
    KnownSession known{};
    known.token_hash = token_hash;
    known.user_id = token.user_id;
    known.session_id = session.session_id;
    known.revocations = revocations;
    known.valid_until_us = std::min<TimestampTz>(now + cached_trust_us, session.valid_until_us);
    known.database = MyDatabaseId;
    strlcpy(known.role, session.role.c_str(), sizeof known.role);
    SessionCacheSet& set = set_of(token_hash);
    SpinLockAcquire(&set.lock);
    set.sessions.keep(known, now);
    SpinLockRelease(&set.lock);
}

}  // namespace pgchat::pg
