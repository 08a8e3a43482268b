#include "core/engine/retry_policy.hpp"

#include <algorithm>

namespace pgchat {
namespace {

bool is_retryable(const FailedAttempt& attempt) noexcept {
    switch (attempt.outcome) {
        case HttpOutcome::ok:
            return attempt.status == 408 || attempt.status == 429 || (attempt.status >= 500 && attempt.status <= 599);
        case HttpOutcome::resolve_failed:
        case HttpOutcome::connect_failed:
        case HttpOutcome::connect_timeout:
            return !attempt.request_sent;
        default:
            return false;
    }
}

}  // namespace

std::optional<Milliseconds> retry_delay(const RetryPolicy& policy, const FailedAttempt& attempt,
                                        double random) noexcept {
    if (attempt.has_text || attempt.number > policy.max_retries || !is_retryable(attempt)) return std::nullopt;
    const Milliseconds full =
        std::min(policy.max_delay, policy.base_delay * (std::int64_t{1} << std::min(attempt.number - 1, 20)));
    const Milliseconds jittered(static_cast<std::int64_t>(static_cast<double>(full.count()) * (0.5 + 0.5 * random)));
    if (!attempt.retry_after) return jittered;
    if (*attempt.retry_after > policy.max_retry_after) return std::nullopt;
    return std::max(jittered, *attempt.retry_after);
}

}  // namespace pgchat
