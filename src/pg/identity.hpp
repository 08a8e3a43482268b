// Who the current user is: the parameters app.current_user_id, -role and session_id, which follow the transaction as
// every parameter does, reach parallel workers, and can be set by no client role.
#pragma once

#include <optional>
#include <string_view>

#include "core/uuid.hpp"

namespace pgchat::pg {

// What a signed token claims beside its user: the identity ends with either.
struct TokenClaims {
    std::int32_t version = 0;        // chat.users.token_version when it was signed
    std::int64_t expires_at_us = 0;  // as TimestampTz
};

struct Identity {
    Uuid user_id;
    Uuid session_id;
    bool has_user = false;
    bool has_session = false;
    const char* role = "";   // in-app role; empty without a user
    const char* token = "";  // what app.current_token holds; empty unless authenticated by a signed token
};

// The identity in force. One that a session or a signed token gave ends with it: it is looked up again after anybody's
// rights have been taken away, and once a minute. Throws Error engine_unavailable when the library was not preloaded: a
// placeholder that anybody may have set would be trusted otherwise.
Identity current_identity();

// As current_identity(), for calls that need a user. Throws Error not_authenticated.
Identity require_identity();

// The parameters as they are, whatever has become of session and user.
Identity given_identity();

// The claims in the form of Identity::token; nullopt where there are none.
std::optional<TokenClaims> parse_claims(const char* token) noexcept;

// Sets the identity until the end of the transaction (is_local), or of the session. A null user clears it.
void set_identity(const Uuid* user_id, std::string_view role, const Uuid* session_id, bool is_local,
                  const TokenClaims* claims = nullptr);

// Whose second factor is still to be proved: not a user for anything else.
struct PendingIdentity {
    Uuid user_id;
    Uuid session_id;
};
std::optional<PendingIdentity> pending_identity();

// Null: nobody.
void set_pending_identity(const PendingIdentity* pending, bool is_local);

// Whether the identity was set by a signed token, which must not renew itself. Unlike the identity it stays when a
// function acts for somebody else for a while.
bool identity_is_signed();
void set_signed_identity(bool is_signed, bool is_local);

// Defines the parameters. Called once, from _PG_init.
void define_identity_parameters() noexcept;

}  // namespace pgchat::pg
