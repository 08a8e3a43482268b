// Whether what gave the current identity still stands: the session is not ended, the user not deactivated.
#pragma once

#include "pg/identity.hpp"
#include "pg/session_lookup.hpp"

namespace pgchat::pg {

// The identity as it is now: without a user where its session or token has ended, and with the user's role of now.
// Cheap unless somebody's rights were taken away since it was last looked up. In a parallel operation it is what it was
// before.
Identity checked(const Identity& given);

// Looks the identity up again where that is due by the clock, which current_identity() does not see until the next
// statement, and counts as activity of its session. For statements that wait for what others do.
void check_in_long_statement();

// How many revocations there have been; to be read before a look-up whose result remember() gets.
std::uint64_t revocations_so_far() noexcept;

// The session has just been looked up for this identity.
void remember(const Uuid& user_id, const SessionUser& session, std::uint64_t revocations) noexcept;

// Checks the identity at the beginning of every statement, so that parallel workers, which cannot, get what is right.
// Called once, from _PG_init.
void install_identity_check() noexcept;

}  // namespace pgchat::pg
