#include "core/engine/spending.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "core/engine/completion_json.hpp"
#include "core/engine/utc_period.hpp"

namespace pgchat {
namespace {

constexpr std::chrono::seconds request_window{60};

// A day or a month has begun.
void begin_anew(AccountUsage& usage, std::int64_t unix_seconds) noexcept {
    const UtcPeriod now = utc_period(unix_seconds);
    if (now.day != usage.day) usage.tokens = 0;
    if (now.month != usage.month) usage.cost = 0;
    usage.day = now.day;
    usage.month = now.month;
}

std::int64_t left_of(std::int64_t limit, std::int64_t taken) noexcept {
    return taken >= limit ? 0 : limit - taken;
}

// How much of a limit a call gets: all it may need, or what is left where that is enough; -1: not even that.
std::int64_t part_of(std::int64_t limit, std::int64_t taken, std::int64_t least, std::int64_t most,
                     bool is_limit) noexcept {
    const std::int64_t left = left_of(limit, taken);
    if (most <= left) return most;
    return is_limit || left == 0 || least > left ? -1 : left;
}

// Whether a call that was refused would be sent with a smaller max_tokens.
bool may_shrink(std::int64_t limit, std::int64_t taken, std::int64_t least) noexcept {
    const std::int64_t left = left_of(limit, taken);
    return left > 0 && least <= left;
}

std::string hint_of(std::string_view what_helps, bool others_run, std::int64_t resets_at) {
    std::string hint = "It begins anew at " + utc_text(resets_at) + ".";
    if (others_run) hint += " Part of it is set aside for calls that are under way, and free when they have ended.";
    if (!what_helps.empty()) hint.append(" ").append(what_helps);
    return hint;
}

[[noreturn]] void refuse_tokens(const Account& account, bool shrinks) {
    throw Error(
        ErrorCode::token_limit_reached,
        "the limit of " + std::to_string(*account.limits.tokens_per_day) + " tokens a day leaves no room for this call",
        hint_of(shrinks ? "A smaller max_tokens may fit." : "", account.usage.reserved_tokens > 0,
                day_begin(account.usage.day + 1)));
}

[[noreturn]] void refuse_cost(const Account& account, Payer payer, bool shrinks) {
    const bool is_user = payer == Payer::user;
    const std::string_view what_helps =
        !is_user  ? "An administrator can raise the setting cost_per_month."
        : shrinks ? "A smaller max_tokens may fit; an administrator can raise it with chat.admin_set_budget."
                  : "An administrator can raise it with chat.admin_set_budget.";
    throw Error(ErrorCode::budget_exhausted,
                is_user ? "the budget of " + decimal_cost(*account.limits.cost_per_month) +
                              " a month leaves no room for this call"
                        : "the budget of this installation for the month leaves no room for this call",
                hint_of(what_helps, account.usage.reserved_cost > 0, month_begin(account.usage.month + 1)));
}

}  // namespace

void count_request(Account& account, TimePoint now, std::int64_t unix_seconds) {
    if (!account.limits.requests_per_minute) return;
    std::deque<TimePoint>& minute = account.usage.minute;
    while (!minute.empty() && minute.front() + request_window <= now) minute.pop_front();
    const std::int64_t allowed = *account.limits.requests_per_minute;
    if (static_cast<std::int64_t>(minute.size()) >= allowed) {
        // The request that leaves the window first makes room, where any is allowed at all.
        const auto excess = static_cast<std::size_t>(static_cast<std::int64_t>(minute.size()) - allowed);
        const auto wait = allowed == 0 ? request_window
                                       : std::chrono::ceil<std::chrono::seconds>(minute[excess] + request_window - now);
        throw Error(ErrorCode::rate_limit_reached,
                    "the limit of " + std::to_string(allowed) + " requests a minute is reached",
                    allowed == 0 ? "An administrator can raise it with chat.admin_set_limits."
                                 : "The next one can be made at " + utc_text(unix_seconds + wait.count()) + ".");
    }
    minute.push_back(now);
}

bool is_at_concurrency_limit(const Account& account) noexcept {
    return account.limits.concurrent_calls && account.usage.running >= *account.limits.concurrent_calls;
}

Error concurrency_refusal(const Account& account) {
    return Error(
        ErrorCode::concurrency_limit_reached,
        "the limit of " + std::to_string(*account.limits.concurrent_calls) + " calls at once is reached",
        "The next one can be made when one of your calls has ended; chat.llm_submit and chat.send_message wait "
        "for that.");
}

Charge fit(Account& account, const Estimate& estimate, Payer payer, std::int64_t unix_seconds) {
    AccountUsage& usage = account.usage;
    begin_anew(usage, unix_seconds);
    Charge charge = estimate.most;
    if (const auto limit = account.limits.tokens_per_day) {
        const std::int64_t taken = saturated_sum(usage.tokens, usage.reserved_tokens);
        charge.tokens = part_of(*limit, taken, estimate.least.tokens, estimate.most.tokens, estimate.is_limit);
        if (charge.tokens < 0) refuse_tokens(account, may_shrink(*limit, taken, estimate.least.tokens));
    }
    if (const auto limit = account.limits.cost_per_month) {
        const std::int64_t taken = saturated_sum(usage.cost, usage.reserved_cost);
        charge.cost = part_of(*limit, taken, estimate.least.cost, estimate.most.cost, estimate.is_limit);
        if (charge.cost < 0) refuse_cost(account, payer, may_shrink(*limit, taken, estimate.least.cost));
    }
    return charge;
}

void set_aside(Account& account, const Charge& charge) noexcept {
    account.usage.reserved_tokens = saturated_sum(account.usage.reserved_tokens, charge.tokens);
    account.usage.reserved_cost = saturated_sum(account.usage.reserved_cost, charge.cost);
}

void settle(Account& account, const Charge& was_set_aside, const Charge& used, std::int64_t unix_seconds) noexcept {
    AccountUsage& usage = account.usage;
    begin_anew(usage, unix_seconds);
    usage.reserved_tokens = std::max<std::int64_t>(0, usage.reserved_tokens - was_set_aside.tokens);
    usage.reserved_cost = std::max<std::int64_t>(0, usage.reserved_cost - was_set_aside.cost);
    usage.tokens = saturated_sum(usage.tokens, used.tokens);
    usage.cost = saturated_sum(usage.cost, used.cost);
}

}  // namespace pgchat
