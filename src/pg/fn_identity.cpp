// SQL functions that read and set the current user.
#include "pg/convert.hpp"
#include "pg/identity.hpp"
#include "pg/lifecycle.hpp"

using namespace pgchat;
using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_current_user_id);
PG_FUNCTION_INFO_V1(pgchat_current_user_role);
PG_FUNCTION_INFO_V1(pgchat_current_session_id);
PG_FUNCTION_INFO_V1(pgchat_require_user);
PG_FUNCTION_INFO_V1(pgchat_set_identity);
PG_FUNCTION_INFO_V1(pgchat_clear_identity);
PG_FUNCTION_INFO_V1(pgchat_pending_user_id);
PG_FUNCTION_INFO_V1(pgchat_pending_session_id);
PG_FUNCTION_INFO_V1(pgchat_rights_revoked);

Datum pgchat_current_user_id(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Identity identity = current_identity();
        fcinfo->isnull = !identity.has_user;
        return identity.has_user ? uuid_datum(identity.user_id) : Datum{0};
    });
}

Datum pgchat_current_user_role(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Identity identity = current_identity();
        fcinfo->isnull = identity.role[0] == '\0';
        return fcinfo->isnull ? Datum{0} : text_datum(identity.role);
    });
}

Datum pgchat_current_session_id(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Identity identity = current_identity();
        fcinfo->isnull = !identity.has_session;
        return identity.has_session ? uuid_datum(identity.session_id) : Datum{0};
    });
}

Datum pgchat_require_user(PG_FUNCTION_ARGS) {
    return entry([&] { return uuid_datum(require_identity().user_id); });
}

Datum pgchat_set_identity(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const Uuid user = args.uuid_at(0), session = args.uuid_at(2);
        set_identity(args.is_null(0) ? nullptr : &user, args.text_at(1), args.is_null(2) ? nullptr : &session,
                     args.boolean_at(3, true));
        return Datum{0};
    });
}

Datum pgchat_clear_identity(PG_FUNCTION_ARGS) {
    return entry([&] {
        set_identity(nullptr, {}, nullptr, true);
        set_pending_identity(nullptr, true);
        set_signed_identity(false, true);
        return Datum{0};
    });
}

Datum pgchat_pending_user_id(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::optional<PendingIdentity> pending = pending_identity();
        fcinfo->isnull = !pending;
        return pending ? uuid_datum(pending->user_id) : Datum{0};
    });
}

Datum pgchat_pending_session_id(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::optional<PendingIdentity> pending = pending_identity();
        fcinfo->isnull = !pending;
        return pending ? uuid_datum(pending->session_id) : Datum{0};
    });
}

Datum pgchat_rights_revoked(PG_FUNCTION_ARGS) {
    return entry([&] {
        announce_revocation_at_commit();
        return Datum{0};
    });
}

}  // extern "C"
