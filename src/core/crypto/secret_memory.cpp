// Over the two primitives of OpenSSL that a compiler cannot undo.
#include "core/crypto/secret_memory.hpp"

#include <openssl/crypto.h>

#include <cstring>

namespace pgchat {

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void secure_zero(void* data, std::size_t size) noexcept {
    OPENSSL_cleanse(data, size);
}

SecretBytes::SecretBytes(std::size_t size) : bytes_(new unsigned char[size](), Wipe{size}) {}

SecretBytes::SecretBytes(std::string_view bytes) : SecretBytes(bytes.size()) {
    std::memcpy(data(), bytes.data(), bytes.size());
}

void SecretBytes::Wipe::operator()(unsigned char* bytes) const noexcept {
    secure_zero(bytes, size);
    delete[] bytes;
}

}  // namespace pgchat
