// What procedures that commit have in common: where they can be called, and whose identity they keep.
#pragma once

#include <optional>
#include <string>

#include "pg/identity.hpp"
#include "pg/postgres.hpp"

namespace pgchat::pg {

// Throws Error invalid_argument where the call is part of a larger transaction. `hint` says what to do there.
void require_outermost_call(FunctionCallInfo fcinfo, const char* name, const char* hint);

// The identity of the caller, which each commit ends: it is that of the transaction.
class KeptIdentity {
public:
    // Throws Error not_authenticated.
    KeptIdentity();

    const Uuid& user_id() const noexcept { return identity_.user_id; }
    // Makes it that of the transaction that runs now.
    void restore() const;

private:
    Identity identity_;  // its texts are in role_ and claims_
    std::string role_;
    std::optional<TokenClaims> claims_;
};

}  // namespace pgchat::pg
