// An ID token on its way to the engine, which has the keys of identity providers.
#pragma once

#include <string>
#include <string_view>

#include "core/engine/frames.hpp"
#include "core/jose/id_token.hpp"
#include "core/jose/oidc_keys.hpp"

namespace pgchat {

struct IdTokenRequest {
    OidcSource source;
    IdTokenRules rules;  // without the time, which is the engine's
    std::string token;
};

// Answered by the claims as JSON text, or an error.
std::string write_id_token(std::uint32_t request_number, const IdTokenRequest& request);
IdTokenRequest read_id_token_request(FrameReader& frame);

}  // namespace pgchat
