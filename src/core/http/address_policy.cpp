// The special-purpose registries as tables.
//   https://www.iana.org/assignments/iana-ipv4-special-registry
//   https://www.iana.org/assignments/iana-ipv6-special-registry
#include "core/http/address_policy.hpp"

#include <algorithm>
#include <cstring>

namespace pgchat {
namespace {

constexpr IpBlock ipv4_block(std::uint8_t a, std::uint8_t b, std::uint8_t c, int bits) {
    return IpBlock{IpAddress{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0}}, 96 + bits};
}

constexpr IpBlock ipv6_block(std::uint16_t first, std::uint16_t second, int bits) {
    IpBlock block;
    block.base.bytes[0] = static_cast<std::uint8_t>(first >> 8);
    block.base.bytes[1] = static_cast<std::uint8_t>(first);
    block.base.bytes[2] = static_cast<std::uint8_t>(second >> 8);
    block.base.bytes[3] = static_cast<std::uint8_t>(second);
    block.prefix = bits;
    return block;
}

constexpr IpBlock refused_ipv4[] = {
    ipv4_block(0, 0, 0, 8),        // this network (RFC 791)
    ipv4_block(10, 0, 0, 8),       // private (RFC 1918)
    ipv4_block(100, 64, 0, 10),    // shared, carrier-grade NAT (RFC 6598)
    ipv4_block(127, 0, 0, 8),      // loopback (RFC 1122)
    ipv4_block(169, 254, 0, 16),   // link-local, cloud metadata services (RFC 3927)
    ipv4_block(172, 16, 0, 12),    // private (RFC 1918)
    ipv4_block(192, 0, 0, 24),     // protocol assignments (RFC 6890)
    ipv4_block(192, 0, 2, 24),     // documentation (RFC 5737)
    ipv4_block(192, 88, 99, 24),   // former 6to4 relays (RFC 7526)
    ipv4_block(192, 168, 0, 16),   // private (RFC 1918)
    ipv4_block(198, 18, 0, 15),    // benchmarking (RFC 2544)
    ipv4_block(198, 51, 100, 24),  // documentation (RFC 5737)
    ipv4_block(203, 0, 113, 24),   // documentation (RFC 5737)
    ipv4_block(224, 0, 0, 4),      // multicast (RFC 5771)
    ipv4_block(240, 0, 0, 4),      // reserved, and broadcast (RFC 1112, RFC 919)
};

// Global unicast; all that lies outside is special, multicast or not allocated (RFC 4291 section 2.4).
constexpr IpBlock global_unicast = ipv6_block(0x2000, 0, 3);

constexpr IpBlock refused_ipv6[] = {
    ipv6_block(0x2001, 0, 23),      // protocol assignments: Teredo, benchmarking, ORCHID (RFC 2928)
    ipv6_block(0x2001, 0xdb8, 32),  // documentation (RFC 3849)
    ipv6_block(0x3fff, 0, 20),      // documentation (RFC 9637)
};

constexpr IpBlock six_to_four = ipv6_block(0x2002, 0, 16);  // RFC 3056: the IPv4 address follows
constexpr IpBlock nat64 = ipv6_block(0x64, 0xff9b, 96);     // RFC 6052: the IPv4 address is the last four bytes

IpAddress embedded_ipv4(const IpAddress& address, std::size_t offset) noexcept {
    IpAddress ipv4{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    std::memcpy(ipv4.bytes.data() + 12, address.bytes.data() + offset, 4);
    return ipv4;
}

}  // namespace

bool address_is_public(const IpAddress& address) noexcept {
    const auto holds_it = [&](const IpBlock& block) { return block.contains(address); };
    if (address.is_ipv4()) return std::none_of(std::begin(refused_ipv4), std::end(refused_ipv4), holds_it);
    if (nat64.contains(address)) return address_is_public(embedded_ipv4(address, 12));
    if (six_to_four.contains(address)) return address_is_public(embedded_ipv4(address, 2));
    return global_unicast.contains(address) && std::none_of(std::begin(refused_ipv6), std::end(refused_ipv6), holds_it);
}

bool address_is_public(const sockaddr* address) noexcept {
    const auto ip = ip_address_of(address);
    return ip && address_is_public(*ip);
}

}  // namespace pgchat
