// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) through OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/secret_memory.hpp"

namespace pgchat {

inline constexpr std::size_t aead_key_bytes = 32;
inline constexpr std::size_t aead_nonce_bytes = 12;
inline constexpr std::size_t aead_tag_bytes = 16;

// The ciphertext, as long as the plaintext, and after it the tag. `associated_data` is not part of it but must be the
// same when it is opened. A nonce must never be used twice with one key; random ones allow 2^32 messages.
// Throws Error: internal when a key or nonce is not of its size, or OpenSSL fails.
std::string aead_encrypt(std::string_view key, std::string_view nonce, std::string_view associated_data,
                         std::string_view plaintext);

// The inverse; nullopt when key, nonce, associated data or any bit of the ciphertext is another. Throws as above.
std::optional<SecretBytes> aead_decrypt(std::string_view key, std::string_view nonce, std::string_view associated_data,
                                        std::string_view ciphertext);

}  // namespace pgchat
