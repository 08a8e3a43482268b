#include "core/llm/provider_key.hpp"

namespace pgchat {

std::string api_key_purpose(const Uuid& provider_id) {
    return "api_key:" + to_string(provider_id);
}

SecretText key_of_environment(const Json& options, const std::function<const char*(const char* name)>& variable) {
    if (!options.is_object() || !options.contains("api_key_env")) return {};
    const Json& named = options["api_key_env"];
    const Json names = named.is_array() ? named : Json::array({named});
    for (const Json& name : names) {
        if (!name.is_string()) continue;
        const char* const value = variable(name.get_ref<const std::string&>().c_str());
        if (value != nullptr && *value != '\0') return SecretText(std::string_view(value));
    }
    return {};
}

}  // namespace pgchat
