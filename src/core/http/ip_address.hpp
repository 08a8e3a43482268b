// IP addresses and blocks of both families in one form, for the lists that allow or refuse them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

struct sockaddr;

namespace pgchat {

// An IPv6 address; an IPv4 address is held as the IPv4-mapped one (RFC 4291 section 2.5.5.2), which means the same.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};

    bool is_ipv4() const noexcept;
    auto operator<=>(const IpAddress&) const = default;
};

// All addresses that share the first `prefix` bits (0..128, counted in the IPv6 form) with `base`.
struct IpBlock {
    IpAddress base;
    int prefix = 128;

    bool contains(const IpAddress& address) const noexcept;
};

// The address in `text`: IPv4 as four decimal numbers, or IPv6 without brackets and zone (inet_pton(3)).
std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept;

// "address/bits", bits counted in the address's own family, or an address alone. Bits after the prefix are ignored.
std::optional<IpBlock> parse_ip_block(std::string_view text) noexcept;

// The address of an AF_INET or AF_INET6 socket address; nullopt for another family.
std::optional<IpAddress> ip_address_of(const sockaddr* address) noexcept;

}  // namespace pgchat
