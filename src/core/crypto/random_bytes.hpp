// Unpredictable bytes, for salts, secrets and ids.
#pragma once

#include <cstdint>
#include <span>

namespace pgchat {

// Fills `out` from OpenSSL's generator (RAND_bytes(3)), which seeds itself anew after a fork.
// Throws Error: internal when the generator fails.
void random_bytes(std::span<std::uint8_t> out);

}  // namespace pgchat
