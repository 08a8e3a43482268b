#include "core/llm/provider_key.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace pgchat {

std::string api_key_purpose(const Uuid& provider_id) {
    return "api_key:" + to_string(provider_id);
}

KeyVariables::KeyVariables(std::string_view list) {
    while (!list.empty()) {
        const std::string_view entry = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), entry.size() + 1));
        const std::size_t begin = entry.find_first_not_of(" \t");
        if (begin == std::string_view::npos) continue;
        entries_.emplace_back(entry.substr(begin, entry.find_last_not_of(" \t") - begin + 1));
    }
}

bool KeyVariables::contains(std::string_view name) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](std::string_view entry) {
        return entry.starts_with('*') ? name.ends_with(entry.substr(1)) : name == entry;
    });
}

SecretText key_of_environment(const Json& options, const KeyVariables& allowed,
                              const std::function<const char*(const char* name)>& variable) {
    if (!options.is_object() || !options.contains("api_key_env")) return {};
    const Json& named = options["api_key_env"];
    const Json names = named.is_array() ? named : Json::array({named});
    for (const Json& entry : names) {
        if (!entry.is_string()) continue;
        const std::string& name = entry.get_ref<const std::string&>();
        if (!allowed.contains(name))
            throw Error(ErrorCode::configuration_error, "no key is taken from the environment variable " + name,
                        "The server's administrator allows it in pgchat.api_key_variables.");
        const char* const value = variable(name.c_str());
        if (value != nullptr && *value != '\0') return SecretText(std::string_view(value));
    }
    return {};
}

}  // namespace pgchat
