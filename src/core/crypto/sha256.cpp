// SHA-256 through OpenSSL's EVP, with the algorithm fetched once and the context kept: a fetch costs more than a hash.
#include "core/crypto/sha256.hpp"

#include <openssl/evp.h>

#include <memory>

#include "core/error.hpp"

namespace pgchat {
namespace {

[[noreturn]] void fail_to_hash() {
    throw Error(ErrorCode::internal, "SHA-256 is not available");
}

struct MdFree {
    void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
};
struct DigestContextFree {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

// A context that is ready for its first hash; later ones begin by EVP_DigestInit_ex2 without an algorithm.
class Hasher {
public:
    Hasher() : md_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
        if (!md_ || !context_ || EVP_DigestInit_ex2(context_.get(), md_.get(), nullptr) != 1) fail_to_hash();
    }

    Sha256Digest hash(std::string_view data) {
        Sha256Digest digest;
        if (EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) != 1 ||
            EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1 ||
            EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1)
            fail_to_hash();
        return digest;
    }

private:
    std::unique_ptr<EVP_MD, MdFree> md_;
    std::unique_ptr<EVP_MD_CTX, DigestContextFree> context_;
};

}  // namespace

Sha256Digest sha256(std::string_view data) {
    thread_local Hasher hasher;
    return hasher.hash(data);
}

}  // namespace pgchat
