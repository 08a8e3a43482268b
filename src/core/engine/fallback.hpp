// What a failed attempt says: of its provider's health, and whether the call may be given to another model without
// being paid for twice.
#pragma once

#include "core/engine/retry_policy.hpp"

namespace pgchat {

enum class ProviderHealth {
    answers,  // whatever it says
    fails,    // unreachable, 5xx, or silent for long
    unknown   // the attempt ended for another reason
};

// A time-out counts as a failure of the provider only after a silence this long: callers who give it no time must not
// have it suspended for others.
inline constexpr Milliseconds longest_silence{30'000};

// `duration`: how long the attempt took.
ProviderHealth provider_health(const FailedAttempt& attempt, Milliseconds duration) noexcept;

// Whether a fallback model may be asked in place of the one whose last attempt this was: it could not be reached, was
// too busy (408, 429) or failed (5xx). Never when the outcome is unknown or readers have some of the reply.
bool may_fall_back(const FailedAttempt& attempt) noexcept;

}  // namespace pgchat
