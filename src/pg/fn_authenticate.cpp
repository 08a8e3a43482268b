// chat.authenticate: from a session token to the identity that row policies see.
#include "pg/convert.hpp"
#include "pg/identity.hpp"
#include "pg/session_lookup.hpp"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

[[noreturn]] void refuse() {
    throw Error(ErrorCode::not_authenticated, "the session token is not valid",
                "Log in again with chat.login; sessions end by logout, expiry, or when their user is deactivated.");
}

Uuid authenticate(std::string_view text, bool is_local) {
    const std::optional<SessionToken> token = SessionToken::parse(text);
    const std::optional<SessionUser> session = token ? find_session(*token) : std::nullopt;
    if (!session) refuse();
    set_identity(&token->user_id, session->role, &session->session_id, is_local);
    if (session->activity_is_old && !call([] { return RecoveryInProgress() || XactReadOnly; }))
        touch_session(token->user_id, session->session_id);
    return token->user_id;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_authenticate);

Datum pgchat_authenticate(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        args.require(0, "session_token");
        return uuid_datum(authenticate(args.text_at(0), args.boolean_at(1, true)));
    });
}

}  // extern "C"
