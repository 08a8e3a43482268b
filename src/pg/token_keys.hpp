// What a backend needs to verify signed tokens: the public keys, read by name and kept parsed, and whom tokens are for.
#pragma once

#include <string>
#include <string_view>

#include "core/jose/jose_key.hpp"

namespace pgchat::pg {

// The public key of that name, if it may verify now: in use, or retired and not past its time. Null otherwise, and for
// an HS256 key, which has no public half. Its row is looked at each time, so that a revoked key ends at once, on a
// standby as well. Valid until the next call.
const JoseKey* find_public_key(std::string_view kid);

// A setting of chat.settings that is a text ("jwt_issuer"), or `fallback` where it is not set.
std::string text_setting(const char* key, const char* fallback);

// The settings that every token is checked against.
std::string token_issuer();
std::string token_audience();

}  // namespace pgchat::pg
