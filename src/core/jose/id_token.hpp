// ID tokens of OpenID providers: what OpenID Connect Core 1.0 section 3.1.3.7 asks of one beyond what every JWT owes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/jose/jwk.hpp"
#include "core/jose/jws.hpp"
#include "core/jose/jwt_claims.hpp"

namespace pgchat {

struct IdTokenRules {
    std::string issuer;
    std::string client_id;
    std::vector<JoseAlgorithm> algorithms;  // that the provider is known to sign with; HS256 is never accepted
    std::string nonce;                      // that the login began with; not empty
    std::string access_token;               // empty: there is none to compare with at_hash
    std::int64_t now = 0;                   // seconds since 1970
};

// The key that a token is to be verified with: of the provider's algorithms, with the token's kid, or without one the
// only key of its algorithm. Null where there is none.
const JoseKey* find_id_token_key(JoseAlgorithm algorithm, std::string_view kid, const std::vector<NamedKey>& keys,
                                 const std::vector<JoseAlgorithm>& algorithms);

// The claims of a token that the key has signed and that is for this client, this login and this minute: iss, aud, azp,
// exp, iat, nbf, nonce, at_hash where it and an access token are there, and a sub of 1 to 255 bytes. Clocks may differ
// by 60 seconds. Throws Error invalid_token otherwise.
Json read_id_token(const CompactJws& token, const JoseKey& key, const IdTokenRules& rules);

}  // namespace pgchat
