// Signed tokens in compact form (RFC 7515), read as strictly as RFC 8725 asks: a token says nothing about how it is to
// be verified that its key does not say as well.
#pragma once

#include <string>
#include <string_view>

#include "core/jose/jose_key.hpp"

namespace pgchat {

// Longer tokens are refused before anything is done with them.
inline constexpr std::size_t max_token_bytes = 16 * 1024;

// A token taken apart; nothing of it is to be believed before it was verified.
struct CompactJws {
    JoseAlgorithm algorithm{};
    std::string kid;                 // empty: the header has none
    std::string_view signing_input;  // into the token
    std::string payload;
    std::string signature;
};

// Takes a token apart. Throws Error invalid_token (refuse_token) for one that is too long; not three parts of canonical
// base64url; whose header is no JSON object with an algorithm of ours, repeats a member, has a kid that is no text of 1
// to 256 bytes, says "typ" and means no JWT, or brings keys, extensions or encryption (jwk, jku, x5c, x5u, crit, …).
CompactJws read_compact_jws(std::string_view token);

// Returns if the signature is the key's. Throws Error invalid_token if not, or if the header names another algorithm
// than the key's.
void verify_jws(const CompactJws& token, const JoseKey& key);

// A token with header {"alg", "typ": "JWT", "kid"} over the payload as it is. No kid is written where it is empty.
std::string sign_jws(std::string_view payload, const JoseKey& key, std::string_view kid);

}  // namespace pgchat
