// The secret a client holds for its session, or to renew its signed tokens, and the hash of it that the database holds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/sha256.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// What a token begins with, so that one kind is never taken for another, and both are found where they should not be.
inline constexpr std::string_view session_token_prefix = "pgc_";
inline constexpr std::string_view refresh_token_prefix = "pgr_";

// It carries its user's id, so that the row of the session is found by a key that leads with the owner.
struct SessionToken {
    Uuid user_id;
    std::array<std::uint8_t, 32> secret{};

    // A token with 256 fresh random bits. Throws Error: internal when the random number generator fails.
    static SessionToken generate(const Uuid& user_id);

    // The inverse of text(); nullopt for anything else, however close.
    static std::optional<SessionToken> parse(std::string_view text, std::string_view prefix = session_token_prefix);

    // The prefix and 64 characters of base64url: the 16 bytes of user_id, then the 32 of secret.
    std::string text(std::string_view prefix = session_token_prefix) const;

    // SHA-256 of the secret: what is stored. Enough for 256 random bits, which nobody can guess one by one.
    Sha256Digest hash() const;
};

}  // namespace pgchat
