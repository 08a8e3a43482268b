// Whether a share is in force now: what ends one is not to wait until the transaction of who reads sees it.
#include "pg/boundary.hpp"
#include "pg/keyed_row.hpp"

extern "C" {
#include "utils/fmgroids.h"
#include "utils/timestamp.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

bool is_in_force(const KeyedRow& share) noexcept {
    bool never_revoked;
    bool never_expires;
    share.column("revoked_at", never_revoked);
    const Datum expiry = share.column("expires_at", never_expires);
    return never_revoked && (never_expires || DatumGetTimestampTz(expiry) > GetCurrentTimestamp());
}

// A copy of its permission, or null.
text* permission_now(Datum user, Datum id) {
    return call([&] {
        text* permission = nullptr;
        const char* columns[] = {"user_id", "id"};
        const Datum keys[] = {user, id};
        const RegProcedure equals[] = {F_UUID_EQ, F_UUID_EQ};
        const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
        KeyedRow share("chat", "conversation_shares", snapshot, columns, keys, equals, 2);
        if (share.found() && is_in_force(share)) permission = DatumGetTextPCopy(share.column("permission"));
        share.close();
        UnregisterSnapshot(snapshot);
        return permission;
    });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_share_now);

Datum pgchat_share_now(PG_FUNCTION_ARGS) {
    return entry([&]() -> Datum {
        text* const permission = permission_now(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
        if (permission == nullptr) PG_RETURN_NULL();
        PG_RETURN_TEXT_P(permission);
    });
}

}  // extern "C"
