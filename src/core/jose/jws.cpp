#include "core/jose/jws.hpp"

#include <array>

#include "core/crypto/base64url.hpp"
#include "core/jose/invalid_token.hpp"
#include "core/jose/token_json.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"
#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

constexpr std::size_t max_header_bytes = 2048;
constexpr std::size_t max_kid_bytes = 256;

// What would have the token choose its own key, what must be understood and is not, and what belongs to encryption.
constexpr std::array refused_members{"jwk", "jku", "x5c", "x5u", "crit", "b64", "enc", "zip", "epk", "apu", "apv"};

std::string decoded(std::string_view part) {
    std::optional<std::string> bytes = base64url_decode(part);
    if (!bytes) refuse_token();
    return std::move(*bytes);
}

bool names_a_jwt(const Json& type) {
    if (!type.is_string()) return false;
    const auto& name = type.get_ref<const std::string&>();
    return equal_ignoring_case(name, "jwt") || equal_ignoring_case(name, "at+jwt") ||
           equal_ignoring_case(name, "application/at+jwt");
}

void read_header(std::string_view text, CompactJws& token) {
    Json header;
    try {
        header = parse_token_json(text);
    } catch (const JsonError&) {
        refuse_token();
    }
    for (const char* const name : refused_members)
        if (header.contains(name)) refuse_token();
    const Json& name = json_member(header, "alg");
    const auto algorithm =
        name.is_string() ? jose_algorithm_from_name(name.get_ref<const std::string&>()) : std::nullopt;
    if (!algorithm) refuse_token();
    if (header.contains("typ") && !names_a_jwt(header["typ"])) refuse_token();
    token.algorithm = *algorithm;
    if (!header.contains("kid")) return;
    const Json& kid = header["kid"];
    if (!kid.is_string()) refuse_token();
    token.kid = kid.get<std::string>();
    if (token.kid.empty() || token.kid.size() > max_kid_bytes) refuse_token();
}

}  // namespace

CompactJws read_compact_jws(std::string_view token) {
    if (token.size() > max_token_bytes) refuse_token();
    const std::size_t first = token.find('.');
    const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
    if (second == token.npos || first > max_header_bytes || token.find('.', second + 1) != token.npos) refuse_token();
    CompactJws result;
    result.signing_input = token.substr(0, second);
    read_header(decoded(token.substr(0, first)), result);
    result.payload = decoded(token.substr(first + 1, second - first - 1));
    result.signature = decoded(token.substr(second + 1));
    if (result.signature.empty()) refuse_token();
    return result;
}

void verify_jws(const CompactJws& token, const JoseKey& key) {
    if (token.algorithm != key.algorithm() || !key.verify(token.signing_input, token.signature)) refuse_token();
}

std::string sign_jws(std::string_view payload, const JoseKey& key, std::string_view kid) {
    Json header{{"alg", jose_algorithm_name(key.algorithm())}, {"typ", "JWT"}};
    if (!kid.empty()) header["kid"] = kid;
    std::string token = base64url_encode(header.dump()) + '.' + base64url_encode(payload);
    const std::string signature = key.sign(token);
    return token + '.' + base64url_encode(signature);
}

}  // namespace pgchat
