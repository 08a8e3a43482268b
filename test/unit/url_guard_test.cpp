// Provider URLs: the parts that are refused, and every spelling of an address that a guard must see through.
#include "core/http/url_guard.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

using namespace std::string_literals;

std::optional<ErrorCode> url_error(std::string_view url, std::string_view trusted = default_trusted_hosts) {
    try {
        check_request_url(url, TrustedHosts(trusted));
    } catch (const Error& error) {
        EXPECT_FALSE(error.hint().empty()) << url;
        return error.code();
    }
    return std::nullopt;
}

TEST(UrlGuard, TakesGoodUrlsApart) {
    const ParsedUrl plain = parse_base_url("https://API.example.com/v1");
    EXPECT_EQ(plain.host, "api.example.com");
    EXPECT_EQ(plain.port, 443);
    EXPECT_TRUE(plain.https);
    const ParsedUrl with_port = parse_base_url("HTTP://localhost:11434/api?version=2");
    EXPECT_EQ(with_port.host, "localhost");
    EXPECT_EQ(with_port.port, 11434);
    EXPECT_FALSE(with_port.https);
    EXPECT_EQ(with_port.url, "http://localhost:11434/api?version=2");
    EXPECT_EQ(parse_base_url("https://[2606:4700:0::1111]/").host, "2606:4700::1111");
    EXPECT_EQ(parse_base_url("https://api.example.com./v1").host, "api.example.com");
}

TEST(UrlGuard, RefusesMalformedUrls) {
    for (const std::string& url : {""s,
                                   "api.example.com/v1"s,
                                   "//api.example.com"s,
                                   "https://"s,
                                   "https:///v1"s,
                                   "https:/v1.com"s,
                                   "https:example.com"s,
                                   "https://:443/"s,
                                   "https://./"s,
                                   "ftp://example.com/"s,
                                   "file:///etc/passwd"s,
                                   "gopher://example.com/"s,
                                   "javascript:alert(1)"s,
                                   "https://user@example.com/"s,
                                   "https://user:secret@example.com/"s,
                                   "https://@example.com/"s,
                                   "https://example.com/#part"s,
                                   "https://example.com:0/"s,
                                   "https://example.com:65536/"s,
                                   "https://example.com:-1/"s,
                                   "https://example.com:8x/"s,
                                   "https://exa mple.com/"s,
                                   "https://example.com/\r\nHost: evil"s,
                                   "https://example.com/\0x"s,
                                   "https://example.com/\x7f"s,
                                   "https://\xc3\xa9.example/"s,
                                   "https://example.com\\@127.0.0.1/"s,
                                   "https://[::1"s,
                                   "https://[fe80::1%25eth0]/"s,
                                   "https://[v1.x]/"s,
                                   "https://exa<mple.com/"s})
        EXPECT_EQ(url_error(url), ErrorCode::invalid_argument) << url;
}

TEST(UrlGuard, SeesThroughEverySpellingOfAnAddress) {
    for (const char* host : {"127.0.0.1",
                             "127.0.0.1.",
                             "127.1",
                             "127.0.1",
                             "2130706433",
                             "0x7f000001",
                             "0x7f.0.0.1",
                             "0x7f.1",
                             "017700000001",
                             "0177.0.0.1",
                             "0177.0x0.0.1",
                             "127.0.0.01",
                             "%31%32%37.0.0.1",
                             "127%2e0.0.1",
                             "[::1]",
                             "[0:0:0:0:0:0:0:1]",
                             "[::ffff:127.0.0.1]",
                             "[::ffff:7f00:1]",
                             "[::127.0.0.1]",
                             "0",
                             "0.0.0.0",
                             "[::]",
                             "169.254.169.254",
                             "2852039166",
                             "0xa9fea9fe",
                             "0251.0376.0251.0376",
                             "10.1",
                             "192.168.1.1",
                             "[fd00:ec2::254]",
                             "[64:ff9b::7f00:1]",
                             "[2002:7f00:1::]",
                             "100.100.100.200"})
        EXPECT_EQ(url_error("https://"s + host + "/v1", ""), ErrorCode::provider_address_refused) << host;
    for (const char* host : {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1."})
        EXPECT_EQ(parse_base_url("https://"s + host + "/").host, "127.0.0.1") << host;
}

TEST(UrlGuard, RequiresHttpsUnlessTrusted) {
    EXPECT_EQ(url_error("http://example.com/v1"), ErrorCode::provider_address_refused);
    EXPECT_EQ(url_error("http://8.8.8.8/v1"), ErrorCode::provider_address_refused);
    EXPECT_EQ(url_error("https://example.com/v1"), std::nullopt);
    EXPECT_EQ(url_error("https://8.8.8.8/v1"), std::nullopt);
    EXPECT_EQ(url_error("http://llm.internal:8000/v1", "*.internal"), std::nullopt);
    EXPECT_EQ(url_error("http://10.1.2.3/v1", "10.0.0.0/8"), std::nullopt);
}

TEST(UrlGuard, SaysWhetherTheHostIsTrusted) {
    const TrustedHosts hosts(default_trusted_hosts);
    for (const char* url : {"http://localhost:11434", "http://LOCALHOST./", "http://127.0.0.1:8080/v1",
                            "http://[::1]:8080/", "https://0x7f.1/"})
        EXPECT_TRUE(check_request_url(url, hosts)) << url;
    EXPECT_FALSE(check_request_url("https://api.example.com/v1", hosts));
}

}  // namespace
}  // namespace pgchat
