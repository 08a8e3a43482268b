// Keys of each algorithm: what they take in, that they sign and verify their own, and that nothing else passes.
#include "core/jose/jose_key.hpp"

#include <openssl/pem.h>

#include "core/crypto/openssl_handle.hpp"
#include "jose_support.hpp"

namespace pgchat {
namespace {

bool is_rejected(JoseAlgorithm algorithm, std::string_view bytes) {
    try {
        JoseKey::from_private(algorithm, bytes);
        return false;
    } catch (const Error& error) {
        return error.code() == ErrorCode::invalid_argument && !error.hint().empty();
    }
}

std::string pem_of(const JoseKey& key) {
    const MemoryBio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.handle(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

TEST(JoseKey, SignsAndVerifiesAfterASleepAsBytes) {
    for (const JoseAlgorithm algorithm : jose_algorithms) {
        const JoseKey key = JoseKey::generate(algorithm);
        const JoseKey woken = JoseKey::from_private(algorithm, key.private_bytes());
        EXPECT_EQ(woken.private_bytes(), key.private_bytes());
        const std::string signature = key.sign("text");
        EXPECT_TRUE(woken.verify("text", signature));
        EXPECT_TRUE(key.verify("text", woken.sign("text")));
        EXPECT_FALSE(key.verify("texT", signature));
        EXPECT_FALSE(JoseKey::generate(algorithm).verify("text", signature));
    }
}

TEST(JoseKey, RefusesEverySignatureWithAChangedLengthOrBit) {
    for (const JoseAlgorithm algorithm : jose_algorithms) {
        const JoseKey key = JoseKey::generate(algorithm);
        const std::string signature = key.sign("text");
        EXPECT_FALSE(key.verify("text", ""));
        EXPECT_FALSE(key.verify("text", signature.substr(1)));
        EXPECT_FALSE(key.verify("text", signature + '\0'));
        for (const std::size_t place : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
            std::string changed = signature;
            changed[place] = static_cast<char>(changed[place] ^ 1);
            EXPECT_FALSE(key.verify("text", changed)) << jose_algorithm_name(algorithm) << ' ' << place;
        }
        EXPECT_FALSE(key.verify("text", std::string(signature.size(), '\0')));  // r = s = 0, for one
    }
}

TEST(JoseKey, TakesPemAndDer) {
    for (const JoseAlgorithm algorithm : {JoseAlgorithm::eddsa, JoseAlgorithm::es256, JoseAlgorithm::rs256}) {
        const JoseKey key = JoseKey::generate(algorithm);
        const JoseKey read = JoseKey::from_private(algorithm, pem_of(key));
        EXPECT_TRUE(key.verify("text", read.sign("text")));
    }
}

TEST(JoseKey, TakesOnlyKeysOfItsAlgorithm) {
    const std::string ed25519 = JoseKey::generate(JoseAlgorithm::eddsa).private_bytes();
    const std::string p256 = JoseKey::generate(JoseAlgorithm::es256).private_bytes();
    EXPECT_TRUE(is_rejected(JoseAlgorithm::es256, ed25519));
    EXPECT_TRUE(is_rejected(JoseAlgorithm::rs256, p256));
    EXPECT_TRUE(is_rejected(JoseAlgorithm::eddsa, p256));
    EXPECT_TRUE(is_rejected(JoseAlgorithm::eddsa, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    EXPECT_TRUE(is_rejected(JoseAlgorithm::eddsa, ""));
    const auto pkcs8 = [](EVP_PKEY* pair) {
        const OpensslHandle<EVP_PKEY, EVP_PKEY_free> owner(pair);
        const Pkcs8 info(EVP_PKEY2PKCS8(pair));
        unsigned char* der = nullptr;
        const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
        std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
        OPENSSL_free(der);
        return bytes;
    };
    EXPECT_TRUE(is_rejected(JoseAlgorithm::es256, pkcs8(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"))));
    EXPECT_TRUE(is_rejected(JoseAlgorithm::es256, pkcs8(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1"))));
    EXPECT_TRUE(
        is_rejected(JoseAlgorithm::rs256, pkcs8(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}))));
}

TEST(JoseKey, TakesSecretsOf32To1024Bytes) {
    EXPECT_TRUE(is_rejected(JoseAlgorithm::hs256, std::string(31, 'x')));
    EXPECT_TRUE(is_rejected(JoseAlgorithm::hs256, std::string(1025, 'x')));
    EXPECT_EQ(JoseKey::from_private(JoseAlgorithm::hs256, std::string(32, 'x')).private_bytes(), std::string(32, 'x'));
    EXPECT_NO_THROW(JoseKey::from_private(JoseAlgorithm::hs256, std::string(1024, '\0')));
}

TEST(JoseKey, RefusesPublicPartsThatAreNoKey) {
    const std::string x(32, '\1'), y(32, '\2');
    EXPECT_THROW(JoseKey::from_p256(x, y), Error);  // not on the curve
    EXPECT_THROW(JoseKey::from_p256(x.substr(1), y), Error);
    EXPECT_THROW(JoseKey::from_ed25519(x + 'x'), Error);
    std::string modulus(256, '\xff');
    EXPECT_THROW(JoseKey::from_rsa(std::string(128, '\xff'), "\x01\x01"), Error) << "1024 bits";
    EXPECT_THROW(JoseKey::from_rsa(std::string(1024, '\xff'), "\x01\x01"), Error) << "8192 bits";
    EXPECT_THROW(JoseKey::from_rsa(modulus, "\x01"), Error);
    EXPECT_THROW(JoseKey::from_rsa(modulus, "\x04"), Error);
    EXPECT_THROW(JoseKey::from_rsa(modulus, std::string(9, '\x7f')), Error);
    EXPECT_NO_THROW(JoseKey::from_rsa(modulus, "\x01\x01"));
}

}  // namespace
}  // namespace pgchat
