// Where the key of a provider comes from, and what a stored one is bound to.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/crypto/secret_text.hpp"
#include "core/llm/json.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// What the sealed keys of providers are bound to, beside the provider as their row.
inline constexpr std::string_view provider_key_purpose = "provider_key";

// The same of users' own keys of this provider, beside their user and row.
std::string api_key_purpose(const Uuid& provider_id);

// The key that a provider's options name: api_key_env, a variable or an array of them, of which the first that is there
// and not empty counts. `variable` gives the value of one, null where it is not there.
SecretText key_of_environment(const Json& options, const std::function<const char*(const char* name)>& variable);

}  // namespace pgchat
