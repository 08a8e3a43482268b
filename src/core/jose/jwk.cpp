#include "core/jose/jwk.hpp"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "core/crypto/base64url.hpp"
#include "core/crypto/openssl_handle.hpp"
#include "core/crypto/sha256.hpp"
#include "core/jose/token_json.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"

namespace pgchat {
namespace {

constexpr std::size_t most_keys = 64;
constexpr std::size_t coordinate_size = 32;

[[noreturn]] void refuse_jwk() {
    throw Error(ErrorCode::invalid_argument, "not a usable JSON Web Key");
}

// A number of the key, in its shortest form or, for a coordinate, in its fixed one.
std::string number_text(EVP_PKEY* key, const char* parameter, std::size_t fixed_size = 0) {
    BIGNUM* found = nullptr;
    require_openssl(EVP_PKEY_get_bn_param(key, parameter, &found) == 1);
    const BigNumber number(found);
    std::string bytes(fixed_size != 0 ? fixed_size : static_cast<std::size_t>(BN_num_bytes(found)), '\0');
    require_openssl(
        BN_bn2binpad(found, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) >= 0);
    return base64url_encode(bytes);
}

std::string ed25519_text(EVP_PKEY* key) {
    std::array<unsigned char, coordinate_size> bytes;
    std::size_t size = bytes.size();
    require_openssl(EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) == 1);
    return base64url_encode(bytes);
}

// The members that a thumbprint is taken of, in the order of RFC 7638 section 3.3: by name.
Json required_members(const JoseKey& key) {
    EVP_PKEY* const handle = key.handle();
    switch (key.algorithm()) {
        case JoseAlgorithm::hs256:
            break;
        case JoseAlgorithm::eddsa:
            return {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", ed25519_text(handle)}};
        case JoseAlgorithm::es256:
            return {{"crv", "P-256"},
                    {"kty", "EC"},
                    {"x", number_text(handle, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_size)},
                    {"y", number_text(handle, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_size)}};
        case JoseAlgorithm::rs256:
            return {{"e", number_text(handle, OSSL_PKEY_PARAM_RSA_E)},
                    {"kty", "RSA"},
                    {"n", number_text(handle, OSSL_PKEY_PARAM_RSA_N)}};
    }
    throw Error(ErrorCode::internal, "a secret key has no public form");
}

std::string thumbprint_of(const Json& members) {
    return base64url_encode(sha256(members.dump()));
}

bool member_is(const Json& jwk, const char* name, std::string_view wanted) {
    const Json& value = json_member(jwk, name);
    return value.is_string() && value.get_ref<const std::string&>() == wanted;
}

std::string binary_member(const Json& jwk, const char* name) {
    const Json& value = json_member(jwk, name);
    if (!value.is_string()) refuse_jwk();
    std::optional<std::string> bytes = base64url_decode(value.get_ref<const std::string&>());
    if (!bytes) refuse_jwk();
    return std::move(*bytes);
}

// Whether the key may verify signatures of the algorithm that its type stands for.
bool is_meant_for(const Json& jwk, JoseAlgorithm algorithm) {
    const Json& operations = json_member(jwk, "key_ops");
    if (operations.is_array() && std::find(operations.begin(), operations.end(), "verify") == operations.end())
        return false;
    return (!jwk.contains("use") || member_is(jwk, "use", "sig")) &&
           (!jwk.contains("alg") || member_is(jwk, "alg", jose_algorithm_name(algorithm)));
}

}  // namespace

std::string jwk_thumbprint(const JoseKey& key) {
    const OpensslErrors errors;
    return thumbprint_of(required_members(key));
}

Json public_jwk(const JoseKey& key) {
    const OpensslErrors errors;
    Json jwk = required_members(key);
    const std::string kid = thumbprint_of(jwk);
    jwk["alg"] = jose_algorithm_name(key.algorithm());
    jwk["use"] = "sig";
    jwk["kid"] = kid;
    return jwk;
}

JoseKey read_jwk(const Json& jwk) {
    if (!jwk.is_object() || jwk.contains("d") || jwk.contains("k")) refuse_jwk();
    if (member_is(jwk, "kty", "OKP") && member_is(jwk, "crv", "Ed25519") && is_meant_for(jwk, JoseAlgorithm::eddsa))
        return JoseKey::from_ed25519(binary_member(jwk, "x"));
    if (member_is(jwk, "kty", "EC") && member_is(jwk, "crv", "P-256") && is_meant_for(jwk, JoseAlgorithm::es256))
        return JoseKey::from_p256(binary_member(jwk, "x"), binary_member(jwk, "y"));
    if (member_is(jwk, "kty", "RSA") && is_meant_for(jwk, JoseAlgorithm::rs256))
        return JoseKey::from_rsa(binary_member(jwk, "n"), binary_member(jwk, "e"));
    refuse_jwk();
}

std::vector<NamedKey> read_jwk_set(std::string_view text) {
    Json set;
    try {
        set = parse_token_json(text);
    } catch (const JsonError&) {
        refuse_jwk();
    }
    const Json& keys = json_member(set, "keys");
    if (!keys.is_array()) refuse_jwk();
    std::vector<NamedKey> usable;
    for (const Json& jwk : keys) {
        if (usable.size() == most_keys) break;
        try {
            JoseKey key = read_jwk(jwk);
            const Json& kid = json_member(jwk, "kid");
            usable.push_back({kid.is_string() ? kid.get<std::string>() : std::string(), std::move(key)});
        } catch (const Error&) {
            continue;  // a kind of key that is not used here must not make the others useless
        }
    }
    return usable;
}

}  // namespace pgchat
