// SHA-256, cheap enough to be taken of every message and every session token.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pgchat {

using Sha256Digest = std::array<std::uint8_t, 32>;

// The SHA-256 digest of `data` (FIPS 180-4). Throws Error: internal when OpenSSL has no SHA-256.
Sha256Digest sha256(std::string_view data);

}  // namespace pgchat
