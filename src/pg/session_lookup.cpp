#include "pg/session_lookup.hpp"

#include "pg/convert.hpp"
#include "pg/query_as.hpp"

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

constexpr std::int64_t activity_interval_us = 60LL * 1000 * 1000;

// One row found by the whole of its table's primary key. Plain data, made and read inside one call().
class KeyedRow {
public:
    KeyedRow(const char* schema, const char* table, const char* const* columns, const Datum* keys,
             const RegProcedure* equals, int count) noexcept {
        relation_ = table_open(get_relname_relid(table, get_namespace_oid(schema, false)), AccessShareLock);
        ScanKeyData scan_keys[2];
        for (int i = 0; i < count; ++i)
            ScanKeyInit(&scan_keys[i], get_attnum(RelationGetRelid(relation_), columns[i]), BTEqualStrategyNumber,
                        equals[i], keys[i]);
        scan_ = systable_beginscan(relation_, RelationGetPrimaryKeyIndexCompat(relation_), true, GetActiveSnapshot(),
                                   count, scan_keys);
        tuple_ = systable_getnext(scan_);
    }

    bool found() const noexcept { return HeapTupleIsValid(tuple_); }
    Datum column(const char* name) const noexcept {
        bool is_null;
        return heap_getattr(tuple_, get_attnum(RelationGetRelid(relation_), name), RelationGetDescr(relation_),
                            &is_null);
    }
    void close() noexcept {
        systable_endscan(scan_);
        table_close(relation_, NoLock);
    }

private:
    static Oid RelationGetPrimaryKeyIndexCompat(Relation relation) noexcept {
#if PG_VERSION_NUM >= 180000
        return RelationGetPrimaryKeyIndex(relation, false);
#else
        return RelationGetPrimaryKeyIndex(relation);
#endif
    }

    Relation relation_;
    SysScanDesc scan_;
    HeapTuple tuple_;
};

// What find_session() gathers, trivially destructible.
struct Found {
    bool is_valid = false;
    bool activity_is_old = false;
    pg_uuid_t session_id{};
    char role[64] = "";
};

bool read_token(Datum user, Datum hash, pg_uuid_t& session_id) noexcept {
    const char* columns[] = {"user_id", "token_hash"};
    const Datum keys[] = {user, hash};
    const RegProcedure equals[] = {F_UUID_EQ, F_BYTEAEQ};
    KeyedRow row("chat_private", "session_tokens", columns, keys, equals, 2);
    const bool found = row.found();
    if (found) session_id = *DatumGetUUIDP(row.column("session_id"));
    row.close();
    return found;
}

bool read_session(Datum user, const pg_uuid_t& session_id, TimestampTz now, bool& activity_is_old) noexcept {
    const char* columns[] = {"user_id", "id"};
    const Datum keys[] = {user, UUIDPGetDatum(&session_id)};
    const RegProcedure equals[] = {F_UUID_EQ, F_UUID_EQ};
    KeyedRow row("chat", "sessions", columns, keys, equals, 2);
    const bool valid = row.found() && DatumGetTimestampTz(row.column("expires_at")) > now;
    if (valid) activity_is_old = DatumGetTimestampTz(row.column("last_activity_at")) < now - activity_interval_us;
    row.close();
    return valid;
}

bool read_user(Datum user, char* role, std::size_t size) noexcept {
    const char* columns[] = {"id"};
    const RegProcedure equals[] = {F_UUID_EQ};
    KeyedRow row("chat", "users", columns, &user, equals, 1);
    const bool valid = row.found() && DatumGetBool(row.column("is_active"));
    if (valid) {
        const std::string_view value = view_of(DatumGetTextPP(row.column("role")));
        strlcpy(role, value.data(), std::min(size, value.size() + 1));
    }
    row.close();
    return valid;
}

}  // namespace

std::optional<SessionUser> find_session(const SessionToken& token) {
    const Sha256Digest digest = token.hash();
    const Datum user = uuid_datum(token.user_id);
    const Datum hash = bytea_datum(digest.data(), digest.size());
    const Found found = call([&] {
        Found result;
        const TimestampTz now = GetCurrentTimestamp();
        result.is_valid = read_token(user, hash, result.session_id) &&
                          read_session(user, result.session_id, now, result.activity_is_old) &&
                          read_user(user, result.role, sizeof result.role);
        return result;
    });
    if (!found.is_valid) return std::nullopt;
    return SessionUser{uuid_from(found.session_id), found.role, found.activity_is_old};
}

void touch_session(const Uuid& user_id, const Uuid& session_id) {
    query_as("pgchat_owner", "SELECT chat_private.touch_session($1, $2)",
             {{UUIDOID, uuid_datum(user_id)}, {UUIDOID, uuid_datum(session_id)}});
}

}  // namespace pgchat::pg
