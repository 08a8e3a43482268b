// Codes that stand in for a lost authenticator app, each of them once: written so that people can copy them from paper.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/sha256.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// A new code with 80 random bits: four groups of four characters, joined by hyphens. No two characters of its alphabet
// look alike: digits, and lower-case letters without i, l, o and u.
std::string generate_recovery_code();

// What is stored of a user's code: SHA-256 of the user's id and the code. It needs no salt of its own and no slow hash,
// as nobody can try 2^80 codes. Case, blanks and hyphens do not matter, and o, i and l are read as the digits they look
// like; nullopt for what cannot be a code.
std::optional<Sha256Digest> recovery_code_hash(const Uuid& user_id, std::string_view code);

}  // namespace pgchat
