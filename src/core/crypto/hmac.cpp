#include "core/crypto/hmac.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>

#include "core/error.hpp"
#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

struct Kind {
    HashAlgorithm algorithm;
    const char* name;
    std::size_t size;
    const EVP_MD* (*digest)();
};

constexpr Kind kinds[] = {
    {HashAlgorithm::sha1, "SHA1", 20, EVP_sha1},
    {HashAlgorithm::sha256, "SHA256", 32, EVP_sha256},
    {HashAlgorithm::sha512, "SHA512", 64, EVP_sha512},
};

const Kind& kind_of(HashAlgorithm algorithm) noexcept {
    return kinds[static_cast<std::size_t>(algorithm)];
}

}  // namespace

const char* name_of(HashAlgorithm algorithm) noexcept {
    return kind_of(algorithm).name;
}

std::optional<HashAlgorithm> hash_algorithm_from_name(std::string_view name) noexcept {
    for (const Kind& kind : kinds)
        if (equal_ignoring_case(name, kind.name)) return kind.algorithm;
    return std::nullopt;
}

std::size_t digest_size(HashAlgorithm algorithm) noexcept {
    return kind_of(algorithm).size;
}

std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view data) {
    const Kind& kind = kind_of(algorithm);
    std::string digest(kind.size, '\0');
    unsigned int size = 0;
    // OpenSSL takes a null key for "the one before", so an empty one must point somewhere.
    const void* const key_bytes = key.empty() ? "" : key.data();
    if (key.size() > INT_MAX ||
        HMAC(kind.digest(), key_bytes, static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(data.data()), data.size(),
             reinterpret_cast<unsigned char*>(digest.data()), &size) == nullptr ||
        size != kind.size)
        throw Error(ErrorCode::internal, std::string("HMAC with ") + kind.name + " is not available");
    return digest;
}

}  // namespace pgchat
