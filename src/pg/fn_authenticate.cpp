// chat.authenticate: from a session token to the identity that row policies see.
#include "pg/convert.hpp"
#include "pg/identity.hpp"
#include "pg/identity_check.hpp"
#include "pg/preload.hpp"
#include "pg/session_lookup.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

[[noreturn]] void refuse() {
    throw Error(ErrorCode::not_authenticated, "the session token is not valid",
                "Log in again with chat.login; sessions end by logout, expiry, or when their user is deactivated.");
}

// None where the second factor is still to be proved: nobody is authenticated then.
std::optional<Uuid> take_identity(const Uuid& user_id, const SessionUser& session, std::uint64_t revocations,
                                  bool is_local) {
    if (session.mfa_pending) {
        const PendingIdentity pending{user_id, session.session_id};
        set_identity(nullptr, {}, nullptr, is_local);
        set_pending_identity(&pending, is_local);
        return std::nullopt;
    }
    set_identity(&user_id, session.role, &session.session_id, is_local);
    set_pending_identity(nullptr, is_local);
    set_signed_identity(false, is_local);
    remember(user_id, session, revocations);
    if (session.activity_is_old) touch_session(user_id, session.session_id);
    return user_id;
}

std::optional<Uuid> authenticate(std::string_view text, bool is_local) {
    require_preloaded();
    const std::optional<SessionToken> token = SessionToken::parse(text);
    const std::uint64_t revocations = revocations_so_far();
    if (token) {
        const std::optional<SessionUser> session = find_session(*token);
        if (!session) refuse();
        return take_identity(token->user_id, *session, revocations, is_local);
    }
    const std::optional<ImportedSession> imported = find_imported_session(text);
    if (!imported) refuse();
    return take_identity(imported->user_id, imported->user, revocations, is_local);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_authenticate);

Datum pgchat_authenticate(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        args.require(0, "session_token");
        const std::optional<Uuid> user = authenticate(args.text_at(0), args.boolean_at(1, true));
        fcinfo->isnull = !user;
        return user ? uuid_datum(*user) : Datum{0};
    });
}

}  // extern "C"
