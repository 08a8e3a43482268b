// What a provider's URL may look like and where it may point, checked before anything is stored or sent.
//
// This is the early check, with the clearer message. The binding one is the transport's: it looks at the address it
// connects to, so a name that changes its address between the two gains nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/trusted_hosts.hpp"

namespace pgchat {

struct ParsedUrl {
    std::string url;  // as libcurl writes it: numeric hosts in their usual form
    std::string
        host;  // lower case, without brackets and trailing dot; IPv4 as four decimal numbers however it was spelt
    std::uint16_t port = 0;
    bool https = false;
};

// Parses an absolute http or https URL with libcurl's own parser, which is the one that will use it.
// Throws Error: invalid_argument, with a hint, for another scheme, no host, user information, a fragment, an IPv6 zone,
// a port outside 1..65535, and any character that is not printable ASCII.
ParsedUrl parse_base_url(std::string_view url);

// Whether a request may go to `url` at all. Returns whether its host is trusted (HttpRequest::trusted_host).
// Throws Error: invalid_argument as parse_base_url; provider_address_refused for plain http to a host that is not
// trusted, and for an address that is neither trusted nor public, in whichever spelling.
bool check_request_url(std::string_view url, const TrustedHosts& trusted_hosts);

}  // namespace pgchat
