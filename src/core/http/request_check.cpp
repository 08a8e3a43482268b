// The syntax of requests (RFC 9110 section 5), checked once before libcurl sees them.
#include "core/http/request_check.hpp"

#include <strings.h>

#include <algorithm>

namespace pgchat {
namespace {

bool starts_with_ignoring_case(std::string_view text, std::string_view start) noexcept {
    return text.size() >= start.size() && strncasecmp(text.data(), start.data(), start.size()) == 0;
}

// tchar of RFC 9110 section 5.6.2.
bool is_name_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_of_transport(std::string_view name) noexcept {
    constexpr std::string_view names[] = {
        "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te"};
    return std::any_of(std::begin(names), std::end(names), [&](std::string_view other) {
        return name.size() == other.size() && starts_with_ignoring_case(name, other);
    });
}

const char* reason_to_refuse_header(std::string_view header) noexcept {
    if (header.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
        return "a header contains a line end or NUL";
    const std::string_view name = header.substr(0, header.find(':'));
    if (name.empty() || name.size() == header.size() || !std::all_of(name.begin(), name.end(), is_name_character))
        return "a header is not of the form \"Name: value\"";
    if (is_of_transport(name)) return "a header that is the transport's own was given";
    return nullptr;
}

}  // namespace

const char* reason_to_refuse(const HttpRequest& request) noexcept {
    if (std::any_of(request.url.begin(), request.url.end(), [](char c) { return c <= ' ' || c >= 0x7f; }))
        return "the URL contains a character that is not printable ASCII";
    if (!starts_with_ignoring_case(request.url, "https://")) {
        if (!starts_with_ignoring_case(request.url, "http://")) return "the URL is neither http nor https";
        if (!request.trusted_host) return "plain http is allowed for trusted hosts only";
    }
    for (const std::string& header : request.headers)
        if (const char* reason = reason_to_refuse_header(header)) return reason;
    return nullptr;
}

}  // namespace pgchat
