#include "core/engine/fallback.hpp"

namespace pgchat {
namespace {

constexpr int request_timeout_status = 408;
constexpr int too_many_requests_status = 429;

bool is_server_error(int status) noexcept {
    return status >= 500 && status <= 599;
}

}  // namespace

ProviderHealth provider_health(const FailedAttempt& attempt, Milliseconds duration) noexcept {
    if (attempt.status != 0) return is_server_error(attempt.status) ? ProviderHealth::fails : ProviderHealth::answers;
    switch (attempt.outcome) {
        case HttpOutcome::resolve_failed:
        case HttpOutcome::connect_failed:
        case HttpOutcome::tls_failed:
        case HttpOutcome::broken:
        case HttpOutcome::protocol_error:
            return ProviderHealth::fails;
        case HttpOutcome::connect_timeout:
        case HttpOutcome::idle_timeout:
        case HttpOutcome::total_timeout:
            return duration >= longest_silence ? ProviderHealth::fails : ProviderHealth::unknown;
        default:
            return ProviderHealth::unknown;
    }
}

bool may_fall_back(const FailedAttempt& attempt) noexcept {
    if (attempt.has_text) return false;
    switch (attempt.outcome) {
        case HttpOutcome::ok:
            return attempt.status == request_timeout_status || attempt.status == too_many_requests_status ||
                   is_server_error(attempt.status);
        case HttpOutcome::resolve_failed:
        case HttpOutcome::connect_failed:
        case HttpOutcome::connect_timeout:
        case HttpOutcome::tls_failed:
            return !attempt.request_sent;
        default:
            return false;
    }
}

}  // namespace pgchat
