// Finds the session of a token by its primary key, straight through the index: the first step of every request.
#pragma once

#include <optional>
#include <string>

#include "core/crypto/session_token.hpp"

namespace pgchat::pg {

struct SessionUser {
    Uuid session_id;
    std::string role;
    bool activity_is_old = false;  // last_activity_at is more than a minute ago
};

// The session and the in-app role of its user; nullopt when the token names no session, the session has expired, or
// its user is not active. Reads past row policies, by the full key only.
std::optional<SessionUser> find_session(const SessionToken& token);

// Sets the session's last_activity_at to now; the identity must be in force.
void touch_session(const Uuid& user_id, const Uuid& session_id);

}  // namespace pgchat::pg
