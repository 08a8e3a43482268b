// HMAC (RFC 2104) through OpenSSL: what one-time codes and derived keys are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgchat {

enum class HashAlgorithm : std::uint8_t { sha1, sha256, sha512 };

// "SHA1", "SHA256" or "SHA512", as the Key URI Format writes them.
const char* name_of(HashAlgorithm algorithm) noexcept;

// The inverse of name_of, in either case; nullopt for anything else.
std::optional<HashAlgorithm> hash_algorithm_from_name(std::string_view name) noexcept;

// The digest's size in bytes: 20, 32 or 64.
std::size_t digest_size(HashAlgorithm algorithm) noexcept;

// The HMAC of `data` under `key`, digest_size(algorithm) bytes. Throws Error: internal when OpenSSL fails.
std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view data);

}  // namespace pgchat
