#include "core/jose/invalid_token.hpp"

namespace pgchat {

Error invalid_token() {
    return Error(
        ErrorCode::invalid_token, "the token is not valid",
        "Tokens end by expiry, by logout, and when their user's password changes or the account is deactivated; get "
        "a new one.");
}

void refuse_token() {
    throw invalid_token();
}

}  // namespace pgchat
