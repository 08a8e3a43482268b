// The engine's answers to what needs the master key.
#pragma once

#include <functional>
#include <string>

#include "core/crypto/envelope.hpp"
#include "core/crypto/secret_vault.hpp"
#include "core/engine/frames.hpp"
#include "core/engine/key_rotation.hpp"

namespace pgchat {

class SecretService {
public:
    using UnixSeconds = std::function<std::int64_t()>;

    // `clock` paces retries; `unix_seconds` is the real time, which one-time codes and signatures are checked against;
    // `store` holds what is sealed.
    SecretService(Clock& clock, UnixSeconds unix_seconds, SealedStore& store);

    // Where secrets are to be sent to.
    const EnvelopeAddress& address() const noexcept { return receiver_.address(); }
    SecretVault& vault() noexcept { return vault_; }
    KeyRotation& rotation() noexcept { return rotation_; }
    const KeyRotation& rotation() const noexcept { return rotation_; }

    // The reply to a frame of RequestKind::secret. Throws Error: master_key_unavailable, unsealing_failed,
    // invalid_argument, engine_unavailable.
    std::string reply_to(FrameReader& frame);

private:
    std::string check_totp(FrameReader& frame);
    std::string check_webhook(FrameReader& frame);

    EnvelopeReceiver receiver_;
    SecretVault vault_;
    KeyRotation rotation_;
    UnixSeconds unix_seconds_;
};

}  // namespace pgchat
