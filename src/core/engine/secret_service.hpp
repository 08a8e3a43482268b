// The engine's answers to what needs the master key.
#pragma once

#include <functional>
#include <string>

#include "core/crypto/secret_vault.hpp"
#include "core/engine/frames.hpp"

namespace pgchat {

class SecretService {
public:
    using UnixSeconds = std::function<std::int64_t()>;

    // `clock` paces retries; `unix_seconds` is the real time, which one-time codes are checked against.
    SecretService(Clock& clock, UnixSeconds unix_seconds);

    SecretVault& vault() noexcept { return vault_; }

    // The reply to a frame of RequestKind::secret. Throws Error: master_key_unavailable, unsealing_failed,
    // invalid_argument.
    std::string reply_to(FrameReader& frame);

private:
    std::string check_totp(FrameReader& frame);

    SecretVault vault_;
    UnixSeconds unix_seconds_;
};

}  // namespace pgchat
