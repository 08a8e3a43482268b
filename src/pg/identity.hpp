// Who the current user is: the parameters app.current_user_id, -role and session_id, which follow the transaction as
// every parameter does, reach parallel workers, and can be set by no client role.
#pragma once

#include <string_view>

#include "core/uuid.hpp"

namespace pgchat::pg {

struct Identity {
    Uuid user_id;
    Uuid session_id;
    bool has_user = false;
    bool has_session = false;
    const char* role = "";  // in-app role; empty without a user
};

// The identity in force. Throws Error engine_unavailable when the library was not preloaded: a placeholder that
// anybody may have set would be trusted otherwise.
Identity current_identity();

// As current_identity(), for calls that need a user. Throws Error not_authenticated.
Identity require_identity();

// Sets the identity until the end of the transaction (is_local), or of the session. A null user clears it.
void set_identity(const Uuid* user_id, std::string_view role, const Uuid* session_id, bool is_local);

// Defines the parameters. Called once, from _PG_init.
void define_identity_parameters() noexcept;

}  // namespace pgchat::pg
