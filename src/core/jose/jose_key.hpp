// One key of one algorithm: it signs and verifies by that algorithm and by no other, whatever a token says.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/jose/jose_algorithm.hpp"

namespace pgchat {

class JoseKey {
public:
    // A new key: 256 bits for HS256, Ed25519, P-256, RSA of 2048 bits. Throws Error internal when OpenSSL cannot.
    static JoseKey generate(JoseAlgorithm algorithm);

    // A private key: for HS256 the secret itself, 32 to 1024 bytes (RFC 7518 section 3.2); for the others PKCS #8, DER
    // or PEM, without a password. Throws Error invalid_argument, with a hint, for anything else, a key of another kind,
    // and RSA outside 2048 to 4096 bits.
    static JoseKey from_private(JoseAlgorithm algorithm, std::string_view bytes);

    // The public parts, as the JWK members have them once decoded. Each throws Error invalid_argument for what is no
    // usable key: a wrong length, a point that is not on the curve, RSA outside 2048 to 4096 bits, an even exponent or
    // one over 64 bits.
    static JoseKey from_ed25519(std::string_view x);
    static JoseKey from_p256(std::string_view x, std::string_view y);
    static JoseKey from_rsa(std::string_view modulus, std::string_view exponent);

    JoseAlgorithm algorithm() const noexcept { return algorithm_; }

    // What from_private takes: the secret, or PKCS #8 in DER. The caller wipes it.
    std::string private_bytes() const;

    // The signature as JWS has it (ES256: r and s, 32 bytes each). Throws Error internal without a private key.
    std::string sign(std::string_view input) const;

    // Whether it is the signature of `input`. A MAC is compared in constant time.
    bool verify(std::string_view input, std::string_view signature) const noexcept;

    // The public key, null for HS256.
    EVP_PKEY* handle() const noexcept { return pair_.get(); }

private:
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };
    struct Wipe {
        void operator()(std::string* secret) const noexcept;
    };
    using Pair = std::unique_ptr<EVP_PKEY, Free>;

    JoseKey(JoseAlgorithm algorithm, Pair pair) : algorithm_(algorithm), pair_(std::move(pair)) {}
    explicit JoseKey(std::string_view secret);

    static JoseKey checked(JoseAlgorithm algorithm, Pair pair);
    bool verify_pair(std::string_view input, std::string_view signature) const;

    JoseAlgorithm algorithm_;
    Pair pair_;
    std::unique_ptr<std::string, Wipe> secret_;  // of HS256; not inline, so that moving leaves no copy behind
};

}  // namespace pgchat
