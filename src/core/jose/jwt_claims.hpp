// The claims of a token whose signature is right: whether they say that it is for us, and for now (RFC 7519, RFC 8725).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/llm/json.hpp"

namespace pgchat {

struct ClaimRules {
    std::string_view issuer;
    std::string_view audience;
    std::int64_t now = 0;   // seconds since 1970
    std::int64_t skew = 0;  // by how many seconds the clocks may differ
};

// Reads the claims of a verified token and checks those that every token must or may have: iss is the issuer; aud is
// the audience, or an array of texts with it; exp is there and has not come; nbf and iat, where they are there, have. A
// time is a number from 0 to the end of the year 9999, with a fraction or without. Throws Error invalid_token
// otherwise, and for a payload that is no JSON object or repeats a member.
Json read_claims(std::string_view payload, const ClaimRules& rules);

// A claim as text; empty where it is absent or no text.
std::string text_claim(const Json& claims, const char* name);

}  // namespace pgchat
