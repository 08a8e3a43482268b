// Public keys as JSON (RFC 7517): written for other services to verify our tokens with, read from theirs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/jose/jose_key.hpp"
#include "core/llm/json.hpp"

namespace pgchat {

// The thumbprint of a key with a public part (RFC 7638, SHA-256, base64url): 43 characters that name it anywhere.
std::string jwk_thumbprint(const JoseKey& key);

// {"kty", …, "alg", "use": "sig", "kid": its thumbprint}: public members only.
// Throws Error internal for HS256, which has none.
Json public_jwk(const JoseKey& key);

// The key of a JWK with kty OKP (Ed25519), EC (P-256) or RSA. Throws Error invalid_argument where it is malformed, of
// another type, symmetric, private, for encryption, or for another algorithm than its type stands for here.
JoseKey read_jwk(const Json& jwk);

// A key of somebody else's set.
struct NamedKey {
    std::string kid;  // empty: the set does not name it
    JoseKey key;
};

// The usable keys of a JWK Set (RFC 7517 section 5), at most 64; others are left out, as the RFC asks.
// Throws Error invalid_argument for a text that is no JWK Set.
std::vector<NamedKey> read_jwk_set(std::string_view text);

}  // namespace pgchat
