#include "pg/committing_call.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace pgchat::pg {

void require_outermost_call(FunctionCallInfo fcinfo, const char* name, const char* hint) {
    const auto* const context = reinterpret_cast<const CallContext*>(fcinfo->context);
    if (context == nullptr || !IsA(context, CallContext) || context->atomic)
        throw Error(ErrorCode::invalid_argument,
                    std::string(name) + " commits, so it cannot run inside a transaction block", hint);
}

KeptIdentity::KeptIdentity() : identity_(require_identity()), role_(identity_.role) {
    claims_ = parse_claims(identity_.token);
}

void KeptIdentity::restore() const {
    set_identity(&identity_.user_id, role_, identity_.has_session ? &identity_.session_id : nullptr, true,
                 claims_ ? &*claims_ : nullptr);
}

}  // namespace pgchat::pg
