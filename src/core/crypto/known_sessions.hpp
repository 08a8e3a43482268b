// A few sessions that were looked up lately, and which of them gives way to another: one set of a cache.
#pragma once

#include <array>
#include <cstdint>

#include "core/crypto/sha256.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// Plain data, all zero where the place is free.
struct KnownSession {
    Sha256Digest token_hash;
    Uuid user_id;
    Uuid session_id;
    std::uint64_t revocations;    // how many there had been before the look-up: after another one it counts for nothing
    std::int64_t valid_until_us;  // so too from then on
    std::uint32_t database;
    char role[16];

    bool is_of(std::uint32_t of_database, const Sha256Digest& hash) const noexcept {
        return database == of_database && token_hash == hash;
    }
    bool counts(std::uint64_t revocations_now, std::int64_t now_us) const noexcept {
        return valid_until_us > now_us && revocations == revocations_now;
    }
};

struct KnownSessions {
    std::array<KnownSession, 4> places;

    // The session of that token in that database, whether it still counts or not; null where it is not known.
    const KnownSession* find(std::uint32_t database, const Sha256Digest& token_hash) const noexcept;
    // Keeps a session, in place of the same one, of one that counts for nothing, or of the one that is valid shortest.
    void keep(const KnownSession& session, std::int64_t now_us) noexcept;
};

}  // namespace pgchat
