#include "core/jose/jwt_claims.hpp"

#include <algorithm>

#include "core/jose/invalid_token.hpp"
#include "core/jose/token_json.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"

namespace pgchat {
namespace {

constexpr double last_time = 253402300799;  // 9999-12-31 23:59:59

Json parse(std::string_view payload) {
    try {
        return parse_token_json(payload);
    } catch (const JsonError&) {
        refuse_token();
    }
}

// RFC 7519 section 2 allows fractions; all such numbers are exact in a double.
double time_claim(const Json& value) {
    if (!value.is_number()) refuse_token();
    const double time = value.get<double>();
    if (!(time >= 0 && time <= last_time)) refuse_token();
    return time;
}

bool names_audience(const Json& audience, std::string_view wanted) {
    if (audience.is_string()) return audience.get_ref<const std::string&>() == wanted;
    if (!audience.is_array()) return false;
    const bool all_texts =
        std::all_of(audience.begin(), audience.end(), [](const Json& entry) { return entry.is_string(); });
    return all_texts && std::any_of(audience.begin(), audience.end(),
                                    [&](const Json& entry) { return entry.get_ref<const std::string&>() == wanted; });
}

}  // namespace

Json read_claims(std::string_view payload, const ClaimRules& rules) {
    Json claims = parse(payload);
    const auto now = static_cast<double>(rules.now), skew = static_cast<double>(rules.skew);
    if (!claims.contains("iss") || text_claim(claims, "iss") != rules.issuer) refuse_token();
    if (!names_audience(json_member(claims, "aud"), rules.audience)) refuse_token();
    if (time_claim(json_member(claims, "exp")) + skew <= now) refuse_token();
    for (const char* const name : {"nbf", "iat"})
        if (claims.contains(name) && time_claim(claims[name]) > now + skew) refuse_token();
    return claims;
}

std::string text_claim(const Json& claims, const char* name) {
    const Json& value = json_member(claims, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace pgchat
