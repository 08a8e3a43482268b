// A secret as a table may hold it: encrypted, and bound to the one place it was made for.
//
// Bytes: version (1), id of the master key (8), nonce (12), ciphertext, tag (16).
#pragma once

#include <string>
#include <string_view>

#include "core/crypto/master_key.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// Where a sealed secret belongs. Moved to another purpose, user or row it cannot be opened.
struct SealPlace {
    std::string_view purpose;  // of the column, such as "totp"
    Uuid user_id;
    Uuid row_id;
};

// Seals with a fresh random nonce: the same secret never gives the same bytes. Throws Error: internal.
std::string seal_secret(const MasterKey& key, const SealPlace& place, std::string_view secret);

// The secret. Throws Error: unsealing_failed for bytes that were sealed with another master key, for another place, or
// changed since.
SecretBytes open_secret(const MasterKey& key, const SealPlace& place, std::string_view sealed);

// The id of the master key that sealed these bytes; empty where they are in no known form.
std::string_view sealing_key_id(std::string_view sealed) noexcept;

}  // namespace pgchat
