// The arithmetic of limits: what may still be used, what is set aside for a call before it is sent, and what it then
// was.
//
// An attempt is sent only after the most it may use was set aside, so that calls that run beside each other cannot use
// together what each could have used alone.
#pragma once

#include <cstdint>
#include <limits>

#include "core/engine/account.hpp"
#include "core/error.hpp"

namespace pgchat {

// The sum, or the largest number there is.
inline std::int64_t saturated_sum(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t result;
    return __builtin_add_overflow(a, b, &result) ? std::numeric_limits<std::int64_t>::max() : result;
}

struct Charge {
    std::int64_t tokens = 0;
    std::int64_t cost = 0;  // 10^-12 of the currency
};

// What an attempt may use at most: what it surely needs, and what its reply may come to.
struct Estimate {
    Charge least;
    Charge most;
    bool is_limit = false;  // most is what the caller asked for, so it must fit whole; else what is left will do
};

// Whose limits they are, for what refusals say.
enum class Payer { user, installation };

// A request came: counts it. Throws Error rate_limit_reached where the last minute has had as many as allowed.
void count_request(Account& account, TimePoint now, std::int64_t unix_seconds);

// Whether as many calls run as may.
bool is_at_concurrency_limit(const Account& account) noexcept;
// Error concurrency_limit_reached, for a call that may not wait.
Error concurrency_refusal(const Account& account);

// What is to be set aside for an attempt. Throws Error token_limit_reached or budget_exhausted where it does not fit
// into what is left of the day's tokens or the month's budget.
Charge fit(Account& account, const Estimate& estimate, Payer payer, std::int64_t unix_seconds);
void set_aside(Account& account, const Charge& charge) noexcept;
// The attempt has ended: what was set aside for it is free again, and what it used is counted.
void settle(Account& account, const Charge& was_set_aside, const Charge& used, std::int64_t unix_seconds) noexcept;

}  // namespace pgchat
