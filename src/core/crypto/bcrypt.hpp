// Password hashes that any other system can read, through libxcrypt, whose bcrypt is right for every byte and length.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgchat {

// bcrypt reads no byte after this one (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999).
inline constexpr std::size_t bcrypt_max_password_bytes = 72;

// A new "$2b$" hash with a random salt. The work is 2^cost key expansions: 12 takes about 250 ms.
// Throws Error: invalid_argument for a cost outside 4..31, a password over 72 bytes (never truncated) or one with a
// NUL byte; internal when no random bytes are to be had.
std::string bcrypt_hash(std::string_view password, int cost);

// Whether the password belongs to the hash ("$2a$", "$2b$" or "$2y$", of any origin), compared in constant time.
// False for a password over 72 bytes or with a NUL byte: no hash can stand for it.
// Throws Error: invalid_argument for a malformed hash.
bool bcrypt_verify(std::string_view password, std::string_view hash);

// The cost of a well-formed hash; nullopt for anything else.
std::optional<int> bcrypt_cost(std::string_view hash) noexcept;

}  // namespace pgchat
