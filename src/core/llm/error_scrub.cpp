#include "core/llm/error_scrub.hpp"

#include "core/llm/secret_scrub.hpp"
#include "core/text/percent.hpp"

namespace pgchat {
namespace {

constexpr std::size_t shortest_secret = 8;

std::vector<std::string> secrets_of(const ProviderConfig& provider) {
    std::vector<std::string> secrets{std::string(provider.api_key.view()), percent_encoded(provider.api_key.view())};
    for (const auto& [name, value] : provider.headers) secrets.push_back(value);
    if (const std::size_t query = provider.base_url.find('?'); query != std::string::npos)
        secrets.push_back(provider.base_url.substr(query + 1));
    std::erase_if(secrets, [](const std::string& secret) { return secret.size() < shortest_secret; });
    return secrets;
}

std::string scrubbed(std::string text, const std::vector<std::string>& secrets) {
    for (const std::string& secret : secrets) text = scrub_secrets(text, secret);
    return text;
}

}  // namespace

Error without_secrets(const Error& error, const ProviderConfig& provider) {
    const std::vector<std::string> secrets = secrets_of(provider);
    return Error(error.code(), scrubbed(error.what(), secrets), scrubbed(error.hint(), secrets));
}

}  // namespace pgchat
