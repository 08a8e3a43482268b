#include "core/error.hpp"

#include <array>

namespace pgchat {
namespace {

struct Entry {
    ErrorCode code;
    const char* name;
    const char* sqlstate;
};

#define PGCHAT_ERROR(name, state)     \
    Entry {                           \
        ErrorCode::name, #name, state \
    }

// Standard classes where one fits (PostgreSQL documentation, appendix A), class PC elsewhere.
constexpr std::array entries{
    PGCHAT_ERROR(internal, "XX000"),
    PGCHAT_ERROR(invalid_argument, "22023"),
    PGCHAT_ERROR(null_argument, "22004"),
    PGCHAT_ERROR(empty_content, "2200F"),
    PGCHAT_ERROR(content_too_long, "54000"),
    PGCHAT_ERROR(malformed_messages, "PC001"),
    PGCHAT_ERROR(malformed_options, "PC002"),
    PGCHAT_ERROR(unknown_model, "42704"),
    PGCHAT_ERROR(no_default_model, "PC003"),
    PGCHAT_ERROR(not_found, "P0002"),
    PGCHAT_ERROR(not_authenticated, "28000"),
    PGCHAT_ERROR(invalid_token, "28000"),
    PGCHAT_ERROR(wrong_credentials, "28P01"),
    PGCHAT_ERROR(permission_denied, "42501"),
    PGCHAT_ERROR(read_only_server, "25006"),
    PGCHAT_ERROR(configuration_error, "F0000"),
    PGCHAT_ERROR(engine_unavailable, "57P03"),
    PGCHAT_ERROR(outcome_unknown, "08007"),
    PGCHAT_ERROR(too_many_calls, "53400"),
    PGCHAT_ERROR(request_timeout, "PC101"),
    PGCHAT_ERROR(cancelled, "57014"),
    PGCHAT_ERROR(provider_unreachable, "08001"),
    PGCHAT_ERROR(provider_address_refused, "PC102"),
    PGCHAT_ERROR(provider_rejected_request, "PC103"),
    PGCHAT_ERROR(provider_rejected_key, "PC104"),
    PGCHAT_ERROR(provider_rate_limited, "PC105"),
    PGCHAT_ERROR(provider_failed, "PC106"),
    PGCHAT_ERROR(provider_bad_response, "PC107"),
    PGCHAT_ERROR(response_too_large, "PC108"),
    PGCHAT_ERROR(incomplete_response, "PC109"),
    PGCHAT_ERROR(context_length_exceeded, "PC110"),
    PGCHAT_ERROR(provider_suspended, "PC111"),
    PGCHAT_ERROR(invalid_structured_reply, "PC112"),
    PGCHAT_ERROR(unsupported_by_provider, "0A000"),
    PGCHAT_ERROR(generation_in_progress, "55006"),
    PGCHAT_ERROR(rate_limit_reached, "PC304"),
    PGCHAT_ERROR(concurrency_limit_reached, "PC305"),
    PGCHAT_ERROR(token_limit_reached, "PC306"),
    PGCHAT_ERROR(budget_exhausted, "PC307"),
    PGCHAT_ERROR(master_key_unavailable, "PC201"),
    PGCHAT_ERROR(unsealing_failed, "PC202"),
    PGCHAT_ERROR(version_mismatch, "55000"),
};

#undef PGCHAT_ERROR

constexpr bool in_enum_order() {
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (static_cast<std::size_t>(entries[i].code) != i) return false;
    return true;
}
static_assert(in_enum_order(), "the table follows the enum");
static_assert(entries.size() == static_cast<std::size_t>(ErrorCode::version_mismatch) + 1, "one entry a code");

const Entry& entry_of(ErrorCode code) noexcept {
    return entries[static_cast<std::size_t>(code)];
}

}  // namespace

const char* sqlstate(ErrorCode code) noexcept {
    return entry_of(code).sqlstate;
}

const char* error_name(ErrorCode code) noexcept {
    return entry_of(code).name;
}

std::optional<ErrorCode> error_code_from_name(std::string_view name) noexcept {
    for (const Entry& entry : entries)
        if (name == entry.name) return entry.code;
    return std::nullopt;
}

}  // namespace pgchat
