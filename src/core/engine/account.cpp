#include "core/engine/account.hpp"

#include "core/engine/utc_period.hpp"

namespace pgchat {

AccountUsage usage_at(std::int64_t unix_seconds, std::int64_t tokens, std::int64_t cost) {
    AccountUsage usage;
    const UtcPeriod now = utc_period(unix_seconds);
    usage.day = now.day;
    usage.month = now.month;
    usage.tokens = tokens;
    usage.cost = cost;
    return usage;
}

void check_is_active(const Account& account) {
    if (account.is_active) return;
    throw Error(ErrorCode::permission_denied, "the account is disabled, or there is none",
                "An administrator enables it with chat.admin_set_active.");
}

}  // namespace pgchat
