#include "pg/session_lookup.hpp"

#include <algorithm>
#include <cstring>

#include "pg/convert.hpp"
#include "pg/keyed_row.hpp"
#include "pg/ledger.hpp"
#include "pg/session_cache.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "utils/fmgroids.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

constexpr std::int64_t activity_interval_us = 60LL * 1000 * 1000;

// Shorter ones are refused by the import, longer ones are no tokens.
constexpr std::size_t min_imported_token = 22, max_imported_token = 1000;

// What one look-up gathers, trivially destructible.
struct Found {
    bool is_valid = false;
    bool mfa_pending = false;
    bool activity_is_old = false;
    bool is_own = false;  // something of it was written by this transaction
    TimestampTz valid_until = 0;
    std::int32_t token_version = 0;
    pg_uuid_t user_id{};  // where the token does not say it
    pg_uuid_t session_id{};
    char role[64] = "";
};

// An identity may outlive it in its connection.
bool extension_is_there() noexcept {
    const Oid schema = get_namespace_oid("chat", true);
    return OidIsValid(schema) && OidIsValid(get_relname_relid("sessions", schema));
}

// Runs `look` with a snapshot of what is committed now.
template <class Look>
Found look_now(Look&& look) {
    return call([&] {
        Found found;
        const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
        found.is_valid = extension_is_there() && look(snapshot, found);
        UnregisterSnapshot(snapshot);
        return found;
    });
}

bool read_token(Snapshot snapshot, Datum user, Datum hash, Found& found) noexcept {
    const char* columns[] = {"user_id", "token_hash"};
    const Datum keys[] = {user, hash};
    const RegProcedure equals[] = {F_UUID_EQ, F_BYTEAEQ};
    KeyedRow row("chat_private", "session_tokens", snapshot, columns, keys, equals, 2);
    const bool is_there = row.found();
    if (is_there) {
        found.session_id = *DatumGetUUIDP(row.column("session_id"));
        found.is_own |= row.is_own();
    }
    row.close();
    return is_there;
}

bool read_imported_token(Snapshot snapshot, Datum hash, Found& found) noexcept {
    const char* columns[] = {"token_hash"};
    const RegProcedure equals[] = {F_BYTEAEQ};
    KeyedRow row("chat_private", "imported_tokens", snapshot, columns, &hash, equals, 1);
    const bool is_there = row.found();
    if (is_there) {
        found.user_id = *DatumGetUUIDP(row.column("user_id"));
        found.session_id = *DatumGetUUIDP(row.column("session_id"));
        found.is_own |= row.is_own();
    }
    row.close();
    return is_there;
}

bool read_session(Snapshot snapshot, Datum user, Found& found) noexcept {
    const char* columns[] = {"user_id", "id"};
    const Datum keys[] = {user, UUIDPGetDatum(&found.session_id)};
    const RegProcedure equals[] = {F_UUID_EQ, F_UUID_EQ};
    KeyedRow row("chat", "sessions", snapshot, columns, keys, equals, 2);
    const TimestampTz now = GetCurrentTimestamp();
    if (row.found()) {
        found.valid_until =
            std::min(DatumGetTimestampTz(row.column("expires_at")), DatumGetTimestampTz(row.column("idle_expires_at")));
        found.is_own |= row.is_own();
        found.mfa_pending = DatumGetBool(row.column("mfa_pending"));
        found.activity_is_old = DatumGetTimestampTz(row.column("last_activity_at")) < now - activity_interval_us;
    }
    row.close();
    return found.valid_until > now;
}

bool read_user(Snapshot snapshot, Datum user, Found& found) noexcept {
    const char* columns[] = {"id"};
    const RegProcedure equals[] = {F_UUID_EQ};
    KeyedRow row("chat", "users", snapshot, columns, &user, equals, 1);
    const bool is_valid = row.found() && DatumGetBool(row.column("is_active"));
    if (is_valid) {
        const std::string_view value = view_of(DatumGetTextPP(row.column("role")));
        strlcpy(found.role, value.data(), std::min(sizeof found.role, value.size() + 1));
        found.is_own |= row.is_own();
        found.token_version = DatumGetInt32(row.column("token_version"));
    }
    row.close();
    return is_valid;
}

std::optional<SessionUser> session_user(const Found& found) {
    if (!found.is_valid) return std::nullopt;
    return SessionUser{uuid_from(found.session_id), found.role,   found.mfa_pending,
                       found.activity_is_old,       found.is_own, found.valid_until,
                       found.token_version};
}

}  // namespace

std::optional<SessionUser> find_session(const SessionToken& token) {
    const Sha256Digest digest = token.hash();
    if (std::optional<SessionUser> cached = cached_session(token, digest)) return cached;
    const std::uint64_t revocations = pg_atomic_read_u64(&shared->revocations);
    const Datum user = uuid_datum(token.user_id);
    const Datum hash = bytea_datum(digest.data(), digest.size());
    const Found found = look_now([&](Snapshot snapshot, Found& result) {
        return read_token(snapshot, user, hash, result) && read_session(snapshot, user, result) &&
               read_user(snapshot, user, result);
    });
    std::optional<SessionUser> session = session_user(found);
    if (session) cache_session(token, digest, *session, revocations);
    return session;
}

std::optional<SessionUser> find_session(const Uuid& user_id, const Uuid& session_id) {
    const Datum user = uuid_datum(user_id);
    return session_user(look_now([&](Snapshot snapshot, Found& found) {
        std::memcpy(found.session_id.data, session_id.bytes.data(), UUID_LEN);
        return read_session(snapshot, user, found) && read_user(snapshot, user, found);
    }));
}

std::optional<ImportedSession> find_imported_session(std::string_view token) {
    if (token.size() < min_imported_token || token.size() > max_imported_token) return std::nullopt;
    const Sha256Digest digest = sha256(token);
    const Datum hash = bytea_datum(digest.data(), digest.size());
    const Found found = look_now([&](Snapshot snapshot, Found& result) {
        if (!read_imported_token(snapshot, hash, result)) return false;
        const Datum user = UUIDPGetDatum(&result.user_id);
        return read_session(snapshot, user, result) && read_user(snapshot, user, result);
    });
    const std::optional<SessionUser> session = session_user(found);
    if (!session) return std::nullopt;
    return ImportedSession{uuid_from(found.user_id), *session};
}

std::optional<std::string> find_user(const Uuid& user_id, std::optional<std::int32_t> token_version) {
    const Datum user = uuid_datum(user_id);
    const Found found = look_now([&](Snapshot snapshot, Found& result) { return read_user(snapshot, user, result); });
    if (!found.is_valid || (token_version && found.token_version != *token_version)) return std::nullopt;
    return found.role;
}

void touch_session(const Uuid& user_id, const Uuid& session_id) {
    tell_ledger(LedgerAct::touch_session,
                R"({"user_id":")" + to_string(user_id) + R"(","session_id":")" + to_string(session_id) + R"("})");
}

}  // namespace pgchat::pg
