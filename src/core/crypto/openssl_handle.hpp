// OpenSSL's objects as values that free themselves, and its queue of errors left empty.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

#include "core/error.hpp"

namespace pgchat {

template <auto free_function>
struct OpensslFree {
    template <class Object>
    void operator()(Object* object) const noexcept {
        free_function(object);
    }
};

template <class Object, auto free_function>
using OpensslHandle = std::unique_ptr<Object, OpensslFree<free_function>>;

using BigNumber = OpensslHandle<BIGNUM, BN_free>;
using DigestContext = OpensslHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSignature = OpensslHandle<ECDSA_SIG, ECDSA_SIG_free>;
using KeyContext = OpensslHandle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using MemoryBio = OpensslHandle<BIO, BIO_free>;
using ParameterBuilder = OpensslHandle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = OpensslHandle<OSSL_PARAM, OSSL_PARAM_free>;
using Pkcs8 = OpensslHandle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

// Empties OpenSSL's queue of errors when it goes: what is left there would be taken by libcurl for its own.
struct OpensslErrors {
    ~OpensslErrors() { ERR_clear_error(); }
};

inline const unsigned char* openssl_bytes(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Throws Error internal where an OpenSSL function failed that has no reason to.
inline void require_openssl(bool succeeded) {
    if (!succeeded) throw Error(ErrorCode::internal, "OpenSSL failed");
}

}  // namespace pgchat
