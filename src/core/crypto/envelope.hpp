// Secrets on their way to one process through memory that others share: only the receiver can open what is sent.
//
// X25519 (RFC 7748) with a fresh key for each envelope, and AES-256-GCM under what both sides derive from it.
// Bytes: the sender's public key (32), ciphertext, tag (16).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "core/crypto/secret_memory.hpp"

namespace pgchat {

// What a sender needs to know; no secret.
using EnvelopeAddress = std::array<unsigned char, 32>;

// The receiver's side: a key pair that lives as long as this.
class EnvelopeReceiver {
public:
    // Makes the pair. Throws Error: internal.
    EnvelopeReceiver();
    ~EnvelopeReceiver();
    EnvelopeReceiver(const EnvelopeReceiver&) = delete;
    EnvelopeReceiver& operator=(const EnvelopeReceiver&) = delete;

    const EnvelopeAddress& address() const noexcept { return address_; }

    // What was sent. Throws Error: engine_unavailable for what was sent to another receiver, or changed since.
    SecretBytes open(std::string_view envelope) const;

private:
    struct Keys;

    std::unique_ptr<Keys> keys_;
    EnvelopeAddress address_{};
};

// The secret as only this receiver can open it. Throws Error: internal.
std::string put_in_envelope(const EnvelopeAddress& receiver, std::string_view secret);

}  // namespace pgchat
