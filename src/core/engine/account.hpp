// What the engine knows of one user, so that everything that allows, limits or pays for a call is decided in one
// process, without locks and without a query.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/engine/account_access.hpp"
#include "core/engine/account_keys.hpp"

namespace pgchat {

// What is absent is not limited. Days and months are those of UTC.
struct AccountLimits {
    std::optional<std::int64_t> requests_per_minute;
    std::optional<std::int64_t> concurrent_calls;
    std::optional<std::int64_t> tokens_per_day;  // input and output together
    std::optional<std::int64_t> cost_per_month;  // 10^-12 of the currency
    bool own_keys_exempt = true;                 // calls with a key of the user's own cost nothing here
};

// What counts against the limits. Read from the database once, then kept by the engine, which alone writes usage.
struct AccountUsage {
    std::int64_t day = 0;    // since 1970, that tokens is of
    std::int64_t month = 0;  // since 1970, that cost is of
    std::int64_t tokens = 0;
    std::int64_t cost = 0;             // 10^-12 of the currency
    std::int64_t reserved_tokens = 0;  // of attempts that are under way
    std::int64_t reserved_cost = 0;
    std::int64_t running = 0;      // calls, from being let in to their end
    std::deque<TimePoint> minute;  // when the requests of the last minute came
};

// Usage as the database has it: tokens of the day, and cost of the month, that are now.
AccountUsage usage_at(std::int64_t unix_seconds, std::int64_t tokens, std::int64_t cost);

struct Account {
    AccountLimits limits;
    AccountUsage usage;
    AccountAccess access;
    AccountKeys keys;
    bool is_active = true;  // else nothing more is sent for it
    std::string role;       // inside the application; empty where there is no such user
    std::string plan;
};

// Throws Error permission_denied for the account of somebody who is disabled, or not there any more.
void check_is_active(const Account& account);

}  // namespace pgchat
