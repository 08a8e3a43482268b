// When a failed attempt is tried again: only where the provider cannot have begun to answer, so that no paid call is
// repeated behind the caller's back.
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "core/http/transport.hpp"

namespace pgchat {

struct RetryPolicy {
    int max_retries = 3;
    Milliseconds base_delay{500};  // doubles with each retry
    Milliseconds max_delay{30'000};
    Milliseconds max_retry_after{120'000};  // a longer Retry-After ends the call instead
};

// One finished attempt that did not succeed.
struct FailedAttempt {
    int number = 1;  // 1 for the first
    HttpOutcome outcome = HttpOutcome::ok;
    int status = 0;
    bool request_sent = false;
    bool has_text = false;  // some of the reply has already reached readers
    std::optional<Milliseconds> retry_after;
};

// How long to wait before the next attempt; nullopt when there must be none. Retried: statuses 408, 429 and 5xx, and
// failures before the request was sent. `random` (0 to 1) spreads the delay over [delay/2, delay] ("equal jitter",
// AWS Architecture Blog, "Exponential Backoff And Jitter"); Retry-After is a lower bound.
std::optional<Milliseconds> retry_delay(const RetryPolicy& policy, const FailedAttempt& attempt,
                                        double random) noexcept;

}  // namespace pgchat
