// Finds sessions and their users by primary key, straight through the index: the first step of every request. Sees what
// is committed now, also inside a transaction whose snapshot is older, and looks past row policies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/session_token.hpp"

namespace pgchat::pg {

struct SessionUser {
    Uuid session_id;
    std::string role;
    bool mfa_pending = false;         // the second factor is still to be proved
    bool activity_is_old = false;     // last_activity_at is more than a minute ago
    bool is_uncommitted = false;      // this transaction wrote something of it, and may still undo that
    std::int64_t valid_until_us = 0;  // when it expires, absolutely or for not being used; as TimestampTz
    std::int32_t token_version = 0;   // of the user
};

// The session and the in-app role of its user; nullopt when the token names no session, the session has expired or was
// not used for too long, or its user is not active.
std::optional<SessionUser> find_session(const SessionToken& token);

// The same by the session's id; must not be called in a parallel operation.
std::optional<SessionUser> find_session(const Uuid& user_id, const Uuid& session_id);

// The in-app role of an active user, whose tokens have that version where one is given; nullopt when there is none.
std::optional<std::string> find_user(const Uuid& user_id, std::optional<std::int32_t> token_version);

// A session of another system that was moved in: its token has that system's form and says not whose it is.
struct ImportedSession {
    Uuid user_id;
    SessionUser user;
};

// The same by the token of such a session; must not be called in a parallel operation.
std::optional<ImportedSession> find_imported_session(std::string_view token);

// Has the engine note that the session is in use. Does nothing where that is not possible now.
void touch_session(const Uuid& user_id, const Uuid& session_id);

}  // namespace pgchat::pg
