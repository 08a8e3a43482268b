// The two primitives of OpenSSL that a compiler cannot undo.
#include "core/crypto/secret_memory.hpp"

#include <openssl/crypto.h>

namespace pgchat {

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void secure_zero(void* data, std::size_t size) noexcept {
    OPENSSL_cleanse(data, size);
}

}  // namespace pgchat
