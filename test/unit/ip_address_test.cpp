// Address parsing and prefix matching over both families.
#include "core/http/ip_address.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

bool in_block(const char* block, const char* address) {
    return parse_ip_block(block).value().contains(parse_ip_address(address).value());
}

TEST(IpAddress, ParsesBothFamiliesStrictly) {
    EXPECT_TRUE(parse_ip_address("192.0.2.1")->is_ipv4());
    EXPECT_FALSE(parse_ip_address("2001:db8::1")->is_ipv4());
    EXPECT_EQ(parse_ip_address("::ffff:192.0.2.1"), parse_ip_address("192.0.2.1"));
    for (const char* text : {"", "localhost", "127.1", "0x7f.0.0.1", "1.2.3.4.5", "1.2.3.256", "[::1]", "fe80::1%lo",
                             "::g", " 1.2.3.4", "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222"})
        EXPECT_FALSE(parse_ip_address(text).has_value()) << text;
}

TEST(IpAddress, MatchesPrefixesToTheBit) {
    EXPECT_TRUE(in_block("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(in_block("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(in_block("10.1.2.3/8", "10.255.0.1"));
    EXPECT_TRUE(in_block("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(in_block("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(in_block("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(in_block("192.0.2.7", "192.0.2.6"));
    EXPECT_TRUE(in_block("fe80::/10", "febf::1"));
    EXPECT_FALSE(in_block("fe80::/10", "fec0::1"));
    EXPECT_TRUE(in_block("::/0", "2001:db8::1"));
}

TEST(IpAddress, RefusesMalformedBlocks) {
    for (const char* text : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "::1/129", "/8", "10.0.0.0/8/8"})
        EXPECT_FALSE(parse_ip_block(text).has_value()) << text;
}

}  // namespace
}  // namespace pgchat
