// Each block of the special-purpose registries at its edges, and each way of dressing up an IPv4 address.
#include "core/http/address_policy.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace pgchat {
namespace {

bool is_public(const char* text) {
    return address_is_public(parse_ip_address(text).value());
}

TEST(AddressPolicy, RefusesSpecialIpv4Blocks) {
    for (const char* text :
         {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",        "10.255.255.255", "100.64.0.0",
          "100.127.255.255", "127.0.0.1",       "127.255.255.255", "169.254.0.0",    "169.254.169.254",
          "172.16.0.0",      "172.31.255.255",  "192.0.0.1",       "192.0.2.1",      "192.88.99.1",
          "192.168.0.0",     "192.168.255.255", "198.18.0.0",      "198.19.255.255", "198.51.100.1",
          "203.0.113.1",     "224.0.0.1",       "239.255.255.255", "240.0.0.1",      "255.255.255.255"})
        EXPECT_FALSE(is_public(text)) << text;
}

TEST(AddressPolicy, AllowsTheNeighboursOfThoseBlocks) {
    for (const char* text :
         {"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
          "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
          "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "8.8.8.8"})
        EXPECT_TRUE(is_public(text)) << text;
}

TEST(AddressPolicy, RefusesSpecialIpv6Blocks) {
    for (const char* text :
         {"::",          "::1",     "fe80::1",     "febf::1",      "fec0::1",    "fc00::1",    "fd00:ec2::254",
          "ff02::1",     "100::1",  "2001::1",     "2001:2::1",    "2001:10::1", "2001:20::1", "2001:1ff::1",
          "2001:db8::1", "3fff::1", "3fff:fff::1", "64:ff9b:1::1", "5f00::1",    "4000::1",    "::2"})
        EXPECT_FALSE(is_public(text)) << text;
    for (const char* text : {"2606:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2a00:1450::1", "3fff:1000::1"})
        EXPECT_TRUE(is_public(text)) << text;
}

TEST(AddressPolicy, LooksInsideEmbeddedIpv4) {
    for (const char* text :
         {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::8.8.8.8",
          "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "64:ff9b::127.0.0.1", "64:ff9b::a00:1"})
        EXPECT_FALSE(is_public(text)) << text;
    for (const char* text : {"::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::8.8.8.8"})
        EXPECT_TRUE(is_public(text)) << text;
}

TEST(AddressPolicy, ReadsSocketAddresses) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_addr.s_addr = inet_addr("127.0.0.1");
    EXPECT_FALSE(address_is_public(reinterpret_cast<sockaddr*>(&ipv4)));
    ipv4.sin_addr.s_addr = inet_addr("8.8.8.8");
    EXPECT_TRUE(address_is_public(reinterpret_cast<sockaddr*>(&ipv4)));
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    inet_pton(AF_INET6, "::1", &ipv6.sin6_addr);
    EXPECT_FALSE(address_is_public(reinterpret_cast<sockaddr*>(&ipv6)));
    inet_pton(AF_INET6, "2606:4700::1111", &ipv6.sin6_addr);
    EXPECT_TRUE(address_is_public(reinterpret_cast<sockaddr*>(&ipv6)));
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    EXPECT_FALSE(address_is_public(reinterpret_cast<sockaddr*>(&local)));
}

}  // namespace
}  // namespace pgchat
