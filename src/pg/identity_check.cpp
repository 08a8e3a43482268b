#include "pg/identity_check.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "pg/boundary.hpp"
#include "pg/lifecycle.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

constexpr std::int64_t longest_trust_us = 60LL * 1000 * 1000;
constexpr std::array account_roles{"admin", "supervisor", "worker", "user", "guest"};
constexpr std::size_t longest_token = 64;

// What the last look-up found, and what it holds for.
struct Verdict {
    bool is_made = false;
    bool is_valid = false;
    bool activity_is_old = false;
    std::uint64_t revocations = 0;
    std::uint64_t own_revocations = 0;
    TimestampTz check_again = 0;
    Uuid user_id;
    Uuid session_id;
    char token[longest_token] = "";
    char role[16] = "";
};

Verdict verdict;
ExecutorStart_hook_type previous_executor_start;
ExecutorRun_hook_type previous_executor_run;

// Whoever sets the parameters directly, and pgchat's own functions when they act for somebody, answer for it
// themselves.
bool is_checkable(const Identity& given) noexcept {
    return given.has_user && (given.has_session || given.token[0] != '\0');
}

bool is_about(const Verdict& made, const Identity& given) noexcept {
    return made.is_made && made.user_id == given.user_id && made.session_id == given.session_id &&
           std::strcmp(made.token, given.token) == 0;
}

bool is_fresh(const Verdict& made) noexcept {
    return made.revocations == revocations_so_far() && made.own_revocations == own_revocations_so_far() &&
           GetCurrentStatementStartTimestamp() < made.check_again;
}

Verdict look_up(const Identity& given) {
    Verdict made;
    made.is_made = true;
    made.revocations = revocations_so_far();
    made.own_revocations = own_revocations_so_far();
    made.check_again = GetCurrentTimestamp() + longest_trust_us;
    made.user_id = given.user_id;
    made.session_id = given.session_id;
    strlcpy(made.token, given.token, sizeof made.token);
    std::optional<std::string> role;
    const std::optional<TokenClaims> claims = parse_claims(given.token);
    if (claims) made.check_again = std::min<TimestampTz>(made.check_again, claims->expires_at_us);
    if (claims && claims->expires_at_us <= GetCurrentTimestamp()) return made;
    if (given.has_session) {
        if (const std::optional<SessionUser> session = find_session(given.user_id, given.session_id)) {
            if (!session->mfa_pending && (!claims || claims->version == session->token_version)) role = session->role;
            made.activity_is_old = session->activity_is_old;
            made.check_again = std::min<TimestampTz>(made.check_again, session->valid_until_us);
        }
    } else if (claims) {
        role = find_user(given.user_id, claims->version);
    }
    made.is_valid = role.has_value();
    if (role) strlcpy(made.role, role->c_str(), sizeof made.role);
    return made;
}

// A role that no account has was given by pgchat's own functions and stays.
bool is_account_role(const char* role) noexcept {
    return std::any_of(account_roles.begin(), account_roles.end(),
                       [&](const char* known) { return std::strcmp(known, role) == 0; });
}

void set_for_this_transaction(const char* name, const char* value) {
    call([&] { set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false); });
}

void check_at_statement() {
    const Identity given = given_identity();
    if (!is_checkable(given) || (is_about(verdict, given) && is_fresh(verdict) && verdict.is_valid)) return;
    const Identity now = checked(given);
    if (!now.has_user) {
        set_identity(nullptr, {}, nullptr, true);
        return;
    }
    if (std::strcmp(now.role, given.role) != 0) set_for_this_transaction("app.current_user_role", now.role);
    if (verdict.activity_is_old) touch_session(now.user_id, now.session_id);
}

void on_executor_start(QueryDesc* query, int flags) {
    if (!IsInParallelMode() && !IsParallelWorker() && given_identity().has_user)
        entry([] {
            check_at_statement();
            return Datum{0};
        });
    if (previous_executor_start != nullptr)
        previous_executor_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
}

// A plan that goes on has its user's id built in, so nothing but an error keeps it from giving more rows.
void check_at_fetch() {
    const Identity given = given_identity();
    if (is_checkable(given) && !checked(given).has_user)
        throw Error(ErrorCode::not_authenticated, "the session has ended", "Log in again with chat.login.");
}

#if PG_VERSION_NUM >= 180000
void on_executor_run(QueryDesc* query, ScanDirection direction, std::uint64_t count) {
    const auto run = [&](auto function) { function(query, direction, count); };
#else
void on_executor_run(QueryDesc* query, ScanDirection direction, std::uint64_t count, bool execute_once) {
    const auto run = [&](auto function) { function(query, direction, count, execute_once); };
#endif
    if (query->already_executed && !IsInParallelMode() && !IsParallelWorker() && given_identity().has_user)
        entry([] {
            check_at_fetch();
            return Datum{0};
        });
    run(previous_executor_run != nullptr ? previous_executor_run : standard_ExecutorRun);
}

}  // namespace

Identity checked(const Identity& given) {
    if (!is_checkable(given)) return given;
    const bool cannot_look = IsInParallelMode() || IsParallelWorker();
    if (!is_about(verdict, given) || !is_fresh(verdict)) {
        if (cannot_look) return given;
        verdict = look_up(given);
    }
    if (!verdict.is_valid) return {};
    Identity now = given;
    if (is_account_role(given.role)) now.role = verdict.role;
    return now;
}

void check_in_long_statement() {
    const Identity given = given_identity();
    if (!is_checkable(given)) return;
    const bool is_looked_up = !is_about(verdict, given) || GetCurrentTimestamp() >= verdict.check_again;
    if (is_looked_up) verdict = look_up(given);
    const Identity now = checked(given);
    if (is_looked_up && now.has_user && verdict.activity_is_old && now.has_session)
        touch_session(now.user_id, now.session_id);
}

std::uint64_t revocations_so_far() noexcept {
    return pg_atomic_read_u64(&shared->revocations);
}

void remember(const Uuid& user_id, const SessionUser& session, std::uint64_t revocations) noexcept {
    verdict = {};
    verdict.is_made = true;
    verdict.is_valid = true;
    verdict.revocations = revocations;
    verdict.own_revocations = own_revocations_so_far();
    verdict.check_again =
        std::min<TimestampTz>(GetCurrentStatementStartTimestamp() + longest_trust_us, session.valid_until_us);
    verdict.user_id = user_id;
    verdict.session_id = session.session_id;
    strlcpy(verdict.role, session.role.c_str(), sizeof verdict.role);
}

void install_identity_check() noexcept {
    previous_executor_start = ExecutorStart_hook;
    ExecutorStart_hook = on_executor_start;
    previous_executor_run = ExecutorRun_hook;
    ExecutorRun_hook = on_executor_run;
}

}  // namespace pgchat::pg
