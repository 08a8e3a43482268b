// Where the key of a provider comes from, and what a stored one is bound to.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/secret_text.hpp"
#include "core/llm/json.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// What the sealed keys of providers are bound to, beside the provider as their row.
inline constexpr std::string_view provider_key_purpose = "provider_key";

// The same of users' own keys of this provider, beside their user and row.
std::string api_key_purpose(const Uuid& provider_id);

// The environment variables that may hold keys (`pgchat.api_key_variables`). Whoever sets providers up chooses both the
// variable and the host that is sent its value, so that not any of the server's may be named.
class KeyVariables {
public:
    // A comma-separated list of names, and of endings behind a "*". White space around an entry is ignored.
    explicit KeyVariables(std::string_view list);
    bool contains(std::string_view name) const;

private:
    std::vector<std::string> entries_;
};

// The key that a provider's options name: api_key_env, a variable or an array of them, of which the first that is there
// and not empty counts. `variable` gives the value of one, null where it is not there. Throws Error:
// configuration_error for a name that is not allowed.
SecretText key_of_environment(const Json& options, const KeyVariables& allowed,
                              const std::function<const char*(const char* name)>& variable);

}  // namespace pgchat
