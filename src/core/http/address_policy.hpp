// Which addresses a request may reach when its host is not one the operator trusts: public ones only, so that no user
// can make the database server talk to its own network.
#pragma once

#include "core/http/ip_address.hpp"

namespace pgchat {

// Whether the address is globally reachable, by the IANA special-purpose address registries (RFC 6890 and its
// successors). Refused: unspecified, loopback, private (RFC 1918), shared (100.64/10), link-local, unique-local,
// benchmarking, documentation, protocol assignments, multicast, reserved and broadcast; every IPv6 address outside
// 2000::/3; and 6to4 and NAT64 forms of a refused IPv4 address.
bool address_is_public(const IpAddress& address) noexcept;

// The same for a socket address; false for a family other than AF_INET and AF_INET6.
bool address_is_public(const sockaddr* address) noexcept;

}  // namespace pgchat
