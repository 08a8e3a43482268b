#include "core/crypto/known_sessions.hpp"

#include <algorithm>

namespace pgchat {

const KnownSession* KnownSessions::find(std::uint32_t database, const Sha256Digest& token_hash) const noexcept {
    const auto found = std::find_if(places.begin(), places.end(),
                                    [&](const KnownSession& place) { return place.is_of(database, token_hash); });
    return found == places.end() ? nullptr : &*found;
}

void KnownSessions::keep(const KnownSession& session, std::int64_t now_us) noexcept {
    const auto worth = [&](const KnownSession& place) -> std::int64_t {
        if (place.is_of(session.database, session.token_hash)) return -1;
        return place.counts(session.revocations, now_us) ? place.valid_until_us : 0;
    };
    *std::min_element(places.begin(), places.end(),
                      [&](const KnownSession& a, const KnownSession& b) { return worth(a) < worth(b); }) = session;
}

}  // namespace pgchat
