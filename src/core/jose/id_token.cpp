#include "core/jose/id_token.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "core/crypto/base64url.hpp"
#include "core/crypto/openssl_handle.hpp"
#include "core/crypto/secret_memory.hpp"
#include "core/jose/invalid_token.hpp"
#include "core/llm/json_field.hpp"

namespace pgchat {
namespace {

constexpr std::int64_t clock_skew = 60;
constexpr std::size_t max_subject_bytes = 255;

bool is_allowed(JoseAlgorithm algorithm, const std::vector<JoseAlgorithm>& algorithms) {
    return algorithm != JoseAlgorithm::hs256 &&
           std::find(algorithms.begin(), algorithms.end(), algorithm) != algorithms.end();
}

// The left half of the access token's hash, by the hash function of the ID token's algorithm; Ed25519 has SHA-512.
std::string access_token_hash(std::string_view access_token, JoseAlgorithm algorithm) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int size = 0;
    require_openssl(EVP_Digest(access_token.data(), access_token.size(), digest.data(), &size,
                               algorithm == JoseAlgorithm::eddsa ? EVP_sha512() : EVP_sha256(), nullptr) == 1);
    return base64url_encode(std::span<const std::uint8_t>(digest.data(), size / 2));
}

void check_authorized_party(const Json& claims, const std::string& client_id) {
    const Json& audience = claims["aud"];
    const bool must_be_named = audience.is_array() && audience.size() > 1;
    if ((must_be_named || claims.contains("azp")) && text_claim(claims, "azp") != client_id) refuse_token();
}

}  // namespace

const JoseKey* find_id_token_key(JoseAlgorithm algorithm, std::string_view kid, const std::vector<NamedKey>& keys,
                                 const std::vector<JoseAlgorithm>& algorithms) {
    if (!is_allowed(algorithm, algorithms)) return nullptr;
    const JoseKey* found = nullptr;
    for (const NamedKey& candidate : keys) {
        if (candidate.key.algorithm() != algorithm) continue;
        if (!kid.empty() && candidate.kid != kid) continue;
        if (found != nullptr) return nullptr;
        found = &candidate.key;
    }
    return found;
}

Json read_id_token(const CompactJws& token, const JoseKey& key, const IdTokenRules& rules) {
    if (!is_allowed(key.algorithm(), rules.algorithms) || rules.nonce.empty()) refuse_token();
    verify_jws(token, key);
    Json claims = read_claims(token.payload, {rules.issuer, rules.client_id, rules.now, clock_skew});
    check_authorized_party(claims, rules.client_id);
    if (!claims.contains("iat")) refuse_token();
    if (!constant_time_equal(text_claim(claims, "nonce"), rules.nonce)) refuse_token();
    const std::string subject = text_claim(claims, "sub");
    if (subject.empty() || subject.size() > max_subject_bytes) refuse_token();
    if (claims.contains("at_hash") && !rules.access_token.empty() &&
        !constant_time_equal(text_claim(claims, "at_hash"), access_token_hash(rules.access_token, key.algorithm())))
        refuse_token();
    return claims;
}

}  // namespace pgchat
