#include "core/jose/invalid_token.hpp"

namespace pgchat {

void refuse_token() {
    throw Error(
        ErrorCode::invalid_token, "the token is not valid",
        "Tokens end by expiry, by logout, and when their user's password changes or the account is deactivated; get "
        "a new one.");
}

}  // namespace pgchat
