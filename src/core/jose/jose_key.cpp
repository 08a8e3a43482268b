#include "core/jose/jose_key.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

#include "core/crypto/openssl_handle.hpp"
#include "core/crypto/random_bytes.hpp"
#include "core/crypto/secret_memory.hpp"

namespace pgchat {
namespace {

constexpr std::size_t hmac_size = 32;
constexpr std::size_t p256_size = 32;
constexpr std::size_t smallest_secret = 32;
constexpr std::size_t largest_secret = 1024;
constexpr int smallest_rsa_bits = 2048;
constexpr int largest_rsa_bits = 4096;

[[noreturn]] void refuse_key() {
    throw Error(
        ErrorCode::invalid_argument, "the key is not usable with this algorithm",
        "HS256 takes a secret of 32 to 1024 bytes; EdDSA an Ed25519 key, ES256 one of curve P-256, RS256 an RSA "
        "key of 2048 to 4096 bits, each as PKCS #8 (PEM or DER) without a password.");
}

std::array<unsigned char, hmac_size> hmac_sha256(std::string_view secret, std::string_view input) {
    std::array<unsigned char, hmac_size> mac;
    unsigned int size = 0;
    require_openssl(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), openssl_bytes(input),
                         input.size(), mac.data(), &size) != nullptr);
    return mac;
}

// JWS has r and s side by side (RFC 7518 section 3.4), OpenSSL a DER sequence of the two.
std::string raw_from_der(std::string_view der) {
    const unsigned char* begin = openssl_bytes(der);
    const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
    require_openssl(parsed != nullptr);
    std::string raw(2 * p256_size, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    require_openssl(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, p256_size) > 0 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + p256_size, p256_size) > 0);
    return raw;
}

std::string der_from_raw(std::string_view raw) {
    BigNumber r(BN_bin2bn(openssl_bytes(raw), p256_size, nullptr));
    BigNumber s(BN_bin2bn(openssl_bytes(raw) + p256_size, p256_size, nullptr));
    const EcdsaSignature signature(ECDSA_SIG_new());
    require_openssl(r && s && signature && ECDSA_SIG_set0(signature.get(), r.get(), s.get()) == 1);
    r.release();
    s.release();
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    require_openssl(size > 0);
    std::string result(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return result;
}

EVP_PKEY* from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    require_openssl(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1);
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) refuse_key();
    return key;
}

// OpenSSL would ask at the terminal for the password of a protected PEM.
int no_password(char*, int, int, void*) {
    return -1;
}

EVP_PKEY* read_private(std::string_view bytes) {
    if (bytes.starts_with("-----BEGIN")) {
        const MemoryBio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
        require_openssl(bio != nullptr);
        return PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
    }
    const unsigned char* begin = openssl_bytes(bytes);
    const Pkcs8 parsed(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &begin, static_cast<long>(bytes.size())));
    return parsed ? EVP_PKCS82PKEY(parsed.get()) : nullptr;
}

bool rsa_is_usable(EVP_PKEY* key) {
    BIGNUM* exponent = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
    const BigNumber owner(exponent);
    const int bits = EVP_PKEY_get_bits(key);
    return bits >= smallest_rsa_bits && bits <= largest_rsa_bits && BN_is_odd(exponent) && !BN_is_one(exponent) &&
           BN_num_bits(exponent) <= 64;
}

bool is_p256(EVP_PKEY* key) {
    char group[32] = "";
    return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) == 1 &&
           std::string_view(group) == "prime256v1";
}

bool is_usable(JoseAlgorithm algorithm, EVP_PKEY* key) {
    switch (algorithm) {
        case JoseAlgorithm::hs256:
            return false;
        case JoseAlgorithm::eddsa:
            return EVP_PKEY_is_a(key, "ED25519") == 1;
        case JoseAlgorithm::es256:
            return EVP_PKEY_is_a(key, "EC") == 1 && is_p256(key);
        case JoseAlgorithm::rs256:
            return EVP_PKEY_is_a(key, "RSA") == 1 && rsa_is_usable(key);
    }
    return false;
}

// Ed25519 hashes by itself.
const EVP_MD* digest_of(JoseAlgorithm algorithm) noexcept {
    return algorithm == JoseAlgorithm::eddsa ? nullptr : EVP_sha256();
}

}  // namespace

JoseKey::JoseKey(std::string_view secret) : algorithm_(JoseAlgorithm::hs256), secret_(new std::string(secret)) {}

void JoseKey::Wipe::operator()(std::string* secret) const noexcept {
    secure_zero(secret->data(), secret->size());
    delete secret;
}

JoseKey JoseKey::checked(JoseAlgorithm algorithm, Pair pair) {
    if (pair == nullptr || !is_usable(algorithm, pair.get())) refuse_key();
    return JoseKey(algorithm, std::move(pair));
}

JoseKey JoseKey::generate(JoseAlgorithm algorithm) {
    const OpensslErrors errors;
    switch (algorithm) {
        case JoseAlgorithm::hs256: {
            std::array<std::uint8_t, smallest_secret> secret;
            random_bytes(secret);
            JoseKey key(std::string_view(reinterpret_cast<const char*>(secret.data()), secret.size()));
            secure_zero(secret.data(), secret.size());
            return key;
        }
        case JoseAlgorithm::eddsa:
            return checked(algorithm, Pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")));
        case JoseAlgorithm::es256:
            return checked(algorithm, Pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")));
        case JoseAlgorithm::rs256:
            return checked(algorithm, Pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{smallest_rsa_bits})));
    }
    refuse_key();
}

JoseKey JoseKey::from_private(JoseAlgorithm algorithm, std::string_view bytes) {
    const OpensslErrors errors;
    if (algorithm != JoseAlgorithm::hs256) return checked(algorithm, Pair(read_private(bytes)));
    if (bytes.size() < smallest_secret || bytes.size() > largest_secret) refuse_key();
    return JoseKey(bytes);
}

JoseKey JoseKey::from_ed25519(std::string_view x) {
    const OpensslErrors errors;
    return checked(JoseAlgorithm::eddsa,
                   Pair(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, openssl_bytes(x), x.size())));
}

JoseKey JoseKey::from_p256(std::string_view x, std::string_view y) {
    const OpensslErrors errors;
    if (x.size() != p256_size || y.size() != p256_size) refuse_key();
    std::string point = "\x04";
    point.append(x).append(y);
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    require_openssl(
        builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1);
    return checked(JoseAlgorithm::es256, Pair(from_parameters("EC", builder.get())));
}

JoseKey JoseKey::from_rsa(std::string_view modulus, std::string_view exponent) {
    const OpensslErrors errors;
    if (modulus.size() > largest_rsa_bits / 8 || exponent.size() > 8) refuse_key();
    const BigNumber n(BN_bin2bn(openssl_bytes(modulus), static_cast<int>(modulus.size()), nullptr));
    const BigNumber e(BN_bin2bn(openssl_bytes(exponent), static_cast<int>(exponent.size()), nullptr));
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    require_openssl(n && e && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    return checked(JoseAlgorithm::rs256, Pair(from_parameters("RSA", builder.get())));
}

std::string JoseKey::private_bytes() const {
    const OpensslErrors errors;
    if (secret_) return *secret_;
    const Pkcs8 info(EVP_PKEY2PKCS8(pair_.get()));
    unsigned char* der = nullptr;
    const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
    require_openssl(size > 0);
    std::string result(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));
    return result;
}

std::string JoseKey::sign(std::string_view input) const {
    const OpensslErrors errors;
    if (secret_) {
        const auto mac = hmac_sha256(*secret_, input);
        return std::string(mac.begin(), mac.end());
    }
    const DigestContext context(EVP_MD_CTX_new());
    std::size_t size = 0;
    require_openssl(context &&
                    EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm_), nullptr, pair_.get()) == 1 &&
                    EVP_DigestSign(context.get(), nullptr, &size, openssl_bytes(input), input.size()) == 1);
    std::string signature(size, '\0');
    require_openssl(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                   openssl_bytes(input), input.size()) == 1);
    signature.resize(size);
    return algorithm_ == JoseAlgorithm::es256 ? raw_from_der(signature) : signature;
}

bool JoseKey::verify(std::string_view input, std::string_view signature) const noexcept {
    const OpensslErrors errors;
    try {
        if (!secret_) return verify_pair(input, signature);
        const auto mac = hmac_sha256(*secret_, input);
        return constant_time_equal(signature, {reinterpret_cast<const char*>(mac.data()), mac.size()});
    } catch (const std::exception&) {
        return false;
    }
}

bool JoseKey::verify_pair(std::string_view input, std::string_view signature) const {
    std::string der;
    if (algorithm_ == JoseAlgorithm::es256) {
        if (signature.size() != 2 * p256_size) return false;
        der = der_from_raw(signature);
        signature = der;
    }
    const DigestContext context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm_), nullptr, pair_.get()) == 1 &&
           EVP_DigestVerify(context.get(), openssl_bytes(signature), signature.size(), openssl_bytes(input),
                            input.size()) == 1;
}

}  // namespace pgchat
