// The engine's answers to logins with somebody else's identity: it fetches the keys, and verifies the token.
#pragma once

#include <functional>
#include <string>

#include "core/engine/id_token_frames.hpp"

namespace pgchat {

class IdTokenService {
public:
    using UnixSeconds = std::function<std::int64_t()>;
    // Called once with the frame that answers, now or from the transport's run().
    using Answer = std::function<void(std::string frame)>;

    IdTokenService(const Clock& clock, Transport& transport, UnixSeconds unix_seconds)
        : keys_(clock, transport), unix_seconds_(std::move(unix_seconds)) {}

    OidcKeys& keys() noexcept { return keys_; }

    // Answers a frame of RequestKind::id_token. Throws Error invalid_token for what is not even a token.
    void verify(FrameReader& frame, Answer answer);

private:
    OidcKeys keys_;
    UnixSeconds unix_seconds_;
};

}  // namespace pgchat
