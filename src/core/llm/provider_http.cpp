#include "core/llm/provider_http.hpp"

#include <algorithm>

#include "core/llm/json_field.hpp"
#include "core/llm/json_write.hpp"
#include "core/text/ascii.hpp"
#include "core/text/percent.hpp"

namespace pgchat {
namespace {

bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return is_ascii_control(c) && c != '\t'; });
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_ascii_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

[[noreturn]] void refuse(const ProviderConfig& config, const std::string& what) {
    throw Error(ErrorCode::invalid_argument, "provider " + config.name + ": " + what);
}

// Adds "name: value" unless the configuration sets that header itself.
void add_header(HttpRequest& request, const ProviderConfig& config, std::string_view header) {
    const std::string_view name = header.substr(0, header.find(':'));
    for (const auto& [own_name, value] : config.headers)
        if (equal_ignoring_case(own_name, name)) return;
    request.headers.emplace_back(header);
}

void add_authentication(HttpRequest& request, const ProviderConfig& config) {
    if (config.key_error && config.auth != AuthType::none) throw *config.key_error;
    if (config.api_key.empty()) return;
    const auto add_key = [&](std::string_view before) {
        std::string header;
        // At once as long as it will be: growing would leave pieces of the key behind.
        header.reserve(before.size() + config.api_key.view().size());
        header.append(before).append(config.api_key.view());
        add_header(request, config, header);
        secure_zero(header.data(), header.size());
    };
    switch (config.auth) {
        case AuthType::none:
            return;
        case AuthType::bearer:
            return add_key("Authorization: Bearer ");
        case AuthType::x_api_key:
            return add_key("x-api-key: ");
        case AuthType::api_key:
            return add_key("api-key: ");
        case AuthType::query: {
            const Json& name = provider_option(config, "query_parameter");
            std::string value = percent_encoded(config.api_key.view());
            std::string parameter(1, request.url.find('?') == std::string::npos ? '?' : '&');
            parameter += percent_encoded(name.is_string() ? name.get_ref<const std::string&>() : "key");
            request.url.reserve(request.url.size() + parameter.size() + 1 + value.size());
            request.url.append(parameter).append("=").append(value);
            secure_zero(value.data(), value.size());
        }
    }
}

}  // namespace

bool is_header_value(std::string_view text) noexcept {
    return !has_control(text);
}

void check_provider_input(const ProviderConfig& config, std::string_view model) {
    if (model.empty()) refuse(config, "the model's name is empty");
    if (has_control(model)) refuse(config, "the model's name contains a control character");
    if (has_control(config.api_key.view()))
        refuse(config, "the API key contains a line break or another control character");
    for (const auto& [name, value] : config.headers) {
        if (!is_token(name)) refuse(config, "a header's name is not valid");
        if (has_control(value)) refuse(config, "the header " + name + " contains a control character");
    }
}

std::string endpoint_url(std::string_view base_url, std::string_view path) {
    const bool plain = !has_control(base_url) && base_url.find_first_of(" \t#") == std::string_view::npos;
    if (!plain) throw Error(ErrorCode::invalid_argument, "the provider's base_url is not valid");
    const std::size_t query_at = std::min(base_url.find('?'), base_url.size());
    std::string_view base = base_url.substr(0, query_at);
    while (base.ends_with('/')) base.remove_suffix(1);
    std::string url(base);
    if (!base.ends_with(path)) url += path;
    return url.append(base_url.substr(query_at));
}

std::string versioned_endpoint_url(std::string_view base_url, std::string_view version, std::string_view path) {
    std::string_view base = base_url.substr(0, base_url.find('?'));
    while (base.ends_with('/')) base.remove_suffix(1);
    return endpoint_url(base_url, base.ends_with(version) ? std::string(path) : std::string(version).append(path));
}

HttpRequest provider_post(const ProviderConfig& config, std::string url, const std::vector<std::string>& headers,
                          std::string body, std::string_view accept) {
    HttpRequest request;
    request.url = std::move(url);
    request.body = std::move(body);
    request.trusted_host = config.trusted_host;
    add_header(request, config, "Content-Type: application/json");
    add_header(request, config, "Accept: " + std::string(accept));
    for (const std::string& header : headers) add_header(request, config, header);
    add_authentication(request, config);
    for (const auto& [name, value] : config.headers) request.headers.push_back(name + ": " + value);
    return request;
}

HttpRequest provider_get(const ProviderConfig& config, std::string url, const std::vector<std::string>& headers) {
    HttpRequest request;
    request.url = std::move(url);
    request.trusted_host = config.trusted_host;
    add_header(request, config, "Accept: application/json");
    for (const std::string& header : headers) add_header(request, config, header);
    add_authentication(request, config);
    for (const auto& [name, value] : config.headers) request.headers.push_back(name + ": " + value);
    return request;
}

const Json& provider_option(const ProviderConfig& config, const char* name) {
    static const Json null;
    return config.options.is_object() ? json_member(config.options, name) : null;
}

std::string dump_body(const Json& body, std::string_view messages) {
    constexpr std::size_t usual_bytes_beside = 512;
    std::string text;
    text.reserve(messages.size() + usual_bytes_beside);
    append_json(text, body, messages);
    return text;
}

}  // namespace pgchat
