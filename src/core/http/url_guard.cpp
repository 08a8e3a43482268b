// URLs taken apart by libcurl, and judged.
#include "core/http/url_guard.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "core/error.hpp"
#include "core/http/address_policy.hpp"
#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

constexpr const char* url_hint = "Give an absolute URL such as https://api.example.com/v1.";

[[noreturn]] void refuse(const std::string& message, const char* hint = url_hint) {
    throw Error(ErrorCode::invalid_argument, message, hint);
}

struct UrlFree {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlFree>;

bool has_part(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    const bool found = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return found;
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) refuse("malformed URL");
    const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
    return text;
}

// Undoes what the C library's resolver accepts besides four decimal numbers (inet_aton(3)): 0x7f.1, 2130706433,
// 0177.0.0.1.
std::string normal_host(std::string host) {
    if (host.size() >= 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    std::transform(host.begin(), host.end(), host.begin(), ascii_lower);
    if (host.ends_with('.')) host.pop_back();
    in_addr ipv4;
    if (inet_aton(host.c_str(), &ipv4) != 0) {
        std::array<char, INET_ADDRSTRLEN> text;
        host = inet_ntop(AF_INET, &ipv4, text.data(), text.size());
    }
    return host;
}

void check_parts(CURLU* handle) {
    const std::string scheme = part_of(handle, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") refuse("URL scheme must be https or http");
    if (has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD) || has_part(handle, CURLUPART_OPTIONS))
        refuse("URL must not contain a user name or password", "Give the key with set_api_key.");
    if (has_part(handle, CURLUPART_FRAGMENT)) refuse("URL must not contain a fragment");
    if (has_part(handle, CURLUPART_ZONEID)) refuse("URL must not contain an IPv6 zone");
}

}  // namespace

ParsedUrl parse_base_url(std::string_view url) {
    if (std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c >= 0x7f; }))
        refuse("URL contains a character that is not printable ASCII",
               "Percent-encode it; write a host name in punycode.");
    if (url.find('\\') != std::string_view::npos) refuse("URL contains a backslash");
    // libcurl forgives one and three slashes, and would take what follows for the host.
    const std::size_t colon = url.find(':');
    if (colon == std::string_view::npos || !url.substr(colon).starts_with("://")) refuse("URL is not absolute");
    if (url.substr(colon).starts_with(":///")) refuse("URL has no host");
    const UrlHandle handle(curl_url());
    if (!handle) throw Error(ErrorCode::internal, "out of memory");
    const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, std::string(url).c_str(), 0);
    if (code == CURLUE_UNSUPPORTED_SCHEME) refuse("URL scheme must be https or http");
    if (code != CURLUE_OK) refuse(std::string("malformed URL: ") + curl_url_strerror(code));
    check_parts(handle.get());

    ParsedUrl parsed;
    parsed.url = part_of(handle.get(), CURLUPART_URL);
    parsed.https = part_of(handle.get(), CURLUPART_SCHEME) == "https";
    parsed.host = normal_host(part_of(handle.get(), CURLUPART_HOST));
    if (parsed.host.empty()) refuse("URL has no host");
    const std::string port = part_of(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), parsed.port);
    if (parsed.port == 0) refuse("URL port must be between 1 and 65535");
    return parsed;
}

bool check_request_url(std::string_view url, const TrustedHosts& trusted_hosts) {
    const ParsedUrl parsed = parse_base_url(url);
    if (trusted_hosts.contains(parsed.host)) return true;
    constexpr const char* hint = "The operator can allow the host in pgchat.trusted_hosts.";
    if (!parsed.https)
        throw Error(ErrorCode::provider_address_refused, "plain http is allowed for trusted hosts only", hint);
    const auto address = parse_ip_address(parsed.host);
    if (address && !address_is_public(*address))
        throw Error(ErrorCode::provider_address_refused, "the URL points to an address that is not public", hint);
    return false;
}

}  // namespace pgchat
