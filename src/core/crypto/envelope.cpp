#include "core/crypto/envelope.hpp"

#include "core/crypto/aead.hpp"
#include "core/crypto/hmac.hpp"
#include "core/crypto/openssl_handle.hpp"

namespace pgchat {
namespace {

using Key = OpensslHandle<EVP_PKEY, EVP_PKEY_free>;

// Each key encrypts once.
const std::string nonce(aead_nonce_bytes, '\0');
constexpr std::string_view label = "pgchat 1 envelope";

Key make_pair() {
    Key pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
    require_openssl(pair != nullptr);
    return pair;
}

EnvelopeAddress address_of(const Key& pair) {
    EnvelopeAddress address;
    std::size_t size = address.size();
    require_openssl(EVP_PKEY_get_raw_public_key(pair.get(), address.data(), &size) == 1 && size == address.size());
    return address;
}

std::string_view view_of(const EnvelopeAddress& address) noexcept {
    return {reinterpret_cast<const char*>(address.data()), address.size()};
}

// What both sides agree on; nullopt where the other side's key is none.
std::optional<SecretBytes> agree(const Key& own, std::string_view other) {
    const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, openssl_bytes(other), other.size()));
    const KeyContext context(EVP_PKEY_CTX_new(own.get(), nullptr));
    SecretBytes secret(std::tuple_size_v<EnvelopeAddress>);
    std::size_t size = secret.size();
    const bool agreed = peer && context && EVP_PKEY_derive_init(context.get()) == 1 &&
                        EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                        EVP_PKEY_derive(context.get(), secret.data(), &size) == 1 && size == secret.size();
    return agreed ? std::optional(std::move(secret)) : std::nullopt;
}

// Bound to both public keys, so that neither can be exchanged for one that agrees on the same secret.
SecretBytes encryption_key(const SecretBytes& secret, std::string_view sender, std::string_view receiver) {
    std::string key = hmac(HashAlgorithm::sha256, secret.view(), std::string(label).append(sender).append(receiver));
    SecretBytes result(key);
    secure_zero(key.data(), key.size());
    return result;
}

}  // namespace

struct EnvelopeReceiver::Keys {
    Key pair;
};

EnvelopeReceiver::EnvelopeReceiver() : keys_(new Keys{make_pair()}), address_(address_of(keys_->pair)) {}

EnvelopeReceiver::~EnvelopeReceiver() = default;

SecretBytes EnvelopeReceiver::open(std::string_view envelope) const {
    const OpensslErrors errors;
    const std::string_view sender = envelope.substr(0, address_.size());
    const std::string_view ciphertext = envelope.substr(sender.size());
    std::optional<SecretBytes> secret;
    if (sender.size() == address_.size() && ciphertext.size() >= aead_tag_bytes)
        if (const std::optional<SecretBytes> agreed = agree(keys_->pair, sender))
            secret = aead_decrypt(encryption_key(*agreed, sender, view_of(address_)).view(), nonce, label, ciphertext);
    if (!secret)
        throw Error(ErrorCode::engine_unavailable, "the secret was sent to an engine that has ended", "Try again.");
    return std::move(*secret);
}

std::string put_in_envelope(const EnvelopeAddress& receiver, std::string_view secret) {
    const OpensslErrors errors;
    const Key pair = make_pair();
    const EnvelopeAddress sender = address_of(pair);
    const std::optional<SecretBytes> agreed = agree(pair, view_of(receiver));
    require_openssl(agreed.has_value());
    const SecretBytes key = encryption_key(*agreed, view_of(sender), view_of(receiver));
    return std::string(view_of(sender)).append(aead_encrypt(key.view(), nonce, label, secret));
}

}  // namespace pgchat
