// Comparing and wiping secrets so that neither timing nor freed memory gives them away.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgchat {

// Whether both hold the same bytes, in a time that depends on the length alone (CRYPTO_memcmp(3)).
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

// Overwrites `size` bytes at `data` with zeros; never optimised away (OPENSSL_cleanse(3)).
void secure_zero(void* data, std::size_t size) noexcept;

}  // namespace pgchat
