// The part of an HTTP request that is alike for all providers: URL, headers, authentication.
#pragma once

#include <string>
#include <string_view>

#include "core/llm/provider.hpp"

namespace pgchat {

// Throws Error(invalid_argument) where the key, a header or the model's name is empty or holds what would let it
// break out of its line: control characters such as CR, LF and NUL, or a header name that is no token (RFC 9110).
void check_provider_input(const ProviderConfig& config, std::string_view model);

// True where `text` may stand as a header's value.
bool is_header_value(std::string_view text) noexcept;

// `base_url` with `path` put after its own path and before its query string; a base URL that already ends in `path`
// stays as it is. Throws Error(invalid_argument) for a base URL with a fragment, white space or control characters.
std::string endpoint_url(std::string_view base_url, std::string_view path);

// The same for an API whose paths begin with `version` ("/v1"), which the base URL may or may not end with.
std::string versioned_endpoint_url(std::string_view base_url, std::string_view version, std::string_view path);

// Makes the POST of `body` to `url`: Content-Type, Accept, `headers` ("name: value"), the key as config.auth wants it,
// and config.headers, which replace any of the others with the same name.
HttpRequest provider_post(const ProviderConfig& config, std::string url, const std::vector<std::string>& headers,
                          std::string body, std::string_view accept);

// The same for a GET, which has no body and asks for JSON.
HttpRequest provider_get(const ProviderConfig& config, std::string url, const std::vector<std::string>& headers);

// The member `name` of config.options; JSON's null where there is none.
const Json& provider_option(const ProviderConfig& config, const char* name);

// Serialises a request's body; text that is not valid UTF-8 is replaced, and a json_placeholder() in it by `messages`,
// which is JSON text already.
std::string dump_body(const Json& body, std::string_view messages = {});

}  // namespace pgchat
