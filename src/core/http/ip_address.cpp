// Address text and socket addresses turned into the one form, and prefix matching.
#include "core/http/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace pgchat {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int mapped_bits = 96;

IpAddress from_ipv4(const in_addr& ipv4) noexcept {
    IpAddress address;
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin());
    std::memcpy(address.bytes.data() + mapped_prefix.size(), &ipv4, sizeof ipv4);
    return address;
}

}  // namespace

bool IpAddress::is_ipv4() const noexcept {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

bool IpBlock::contains(const IpAddress& address) const noexcept {
    const int whole = prefix / 8;
    if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, address.bytes.begin())) return false;
    const int rest = prefix % 8;
    return rest == 0 || ((base.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::copy(text.begin(), text.end(), buffer.begin());
    in_addr ipv4;
    if (inet_pton(AF_INET, buffer.data(), &ipv4) == 1) return from_ipv4(ipv4);
    IpAddress address;
    if (inet_pton(AF_INET6, buffer.data(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

std::optional<IpBlock> parse_ip_block(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const auto address = parse_ip_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return IpBlock{*address, 128};
    const std::string_view digits = text.substr(slash + 1);
    int bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    const bool ipv4 = text.find(':') == std::string_view::npos;
    if (bits < 0 || bits > (ipv4 ? 32 : 128)) return std::nullopt;
    return IpBlock{*address, ipv4 ? mapped_bits + bits : bits};
}

std::optional<IpAddress> ip_address_of(const sockaddr* address) noexcept {
    if (address->sa_family == AF_INET) {
        sockaddr_in ipv4;
        std::memcpy(&ipv4, address, sizeof ipv4);
        return from_ipv4(ipv4.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 ipv6;
        std::memcpy(&ipv6, address, sizeof ipv6);
        IpAddress result;
        std::memcpy(result.bytes.data(), &ipv6.sin6_addr, result.bytes.size());
        return result;
    }
    return std::nullopt;
}

}  // namespace pgchat
