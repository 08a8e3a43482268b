// The one error type of the core, so that every failure carries an SQLSTATE from the place where it is known.
//
// Core code throws Error; the PostgreSQL side turns it into an ereport with the same SQLSTATE, message and hint.
// Messages are lower case, without a full stop, and never contain a secret or another user's data.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pgchat {

// Every condition pgchat reports by itself. The SQLSTATEs are in error.cpp, and documented in docs/errors.md.
enum class ErrorCode {
    internal,
    invalid_argument,
    null_argument,
    empty_content,
    content_too_long,
    malformed_messages,
    malformed_options,
    unknown_model,
    no_default_model,
    not_found,
    not_authenticated,
    invalid_token,
    wrong_credentials,
    permission_denied,
    read_only_server,
    configuration_error,
    engine_unavailable,
    outcome_unknown,
    too_many_calls,
    request_timeout,
    cancelled,
    provider_unreachable,
    provider_address_refused,
    provider_rejected_request,
    provider_rejected_key,
    provider_rate_limited,
    provider_failed,
    provider_bad_response,
    response_too_large,
    incomplete_response,
    context_length_exceeded,
    provider_suspended,
    invalid_structured_reply,
    unsupported_by_provider,
    generation_in_progress,
    rate_limit_reached,
    concurrency_limit_reached,
    token_limit_reached,
    budget_exhausted,
    master_key_unavailable,
    unsealing_failed,
    version_mismatch,
};

// The five-character SQLSTATE of a code; never null, null-terminated, static storage.
const char* sqlstate(ErrorCode code) noexcept;

// The code's name as written in the enum ("unknown_model"), static storage.
const char* error_name(ErrorCode code) noexcept;

// The inverse of error_name; nullopt for an unknown name.
std::optional<ErrorCode> error_code_from_name(std::string_view name) noexcept;

class Error : public std::runtime_error {
public:
    explicit Error(ErrorCode code, const std::string& message, std::string hint = {})
        : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

    ErrorCode code() const noexcept { return code_; }
    // What the user can do about it; empty where there is nothing to do.
    const std::string& hint() const noexcept { return hint_; }

private:
    ErrorCode code_;
    std::string hint_;
};

}  // namespace pgchat
