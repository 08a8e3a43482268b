// Requests that would write into the protocol are refused before libcurl sees them.
#include "core/http/request_check.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

const char* check(const std::string& url, const std::string& header = "A: b", bool trusted = true) {
    HttpRequest request;
    request.url = url;
    request.headers = {header};
    request.trusted_host = trusted;
    return reason_to_refuse(request);
}

TEST(RequestCheck, LetsGoodRequestsPass) {
    EXPECT_EQ(check("https://example.com/v1?a=b%20c"), nullptr);
    EXPECT_EQ(check("HTTP://127.0.0.1:80/"), nullptr);
    for (const char* header : {"Authorization: Bearer abc", "x-api-key:abc",
                               "Content-Type: application/json; charset=utf-8", "X-Note: caf\xc3\xa9"})
        EXPECT_EQ(check("https://example.com/", header, false), nullptr) << header;
}

TEST(RequestCheck, RefusesUrls) {
    for (const char* url : {"", "http", "https:/x", "ftp://example.com", "file:///", "httpss://x", " https://x",
                            "https://x/\n", "https://x/\x7f", "https://\xc3\xa9/"})
        EXPECT_NE(check(url), nullptr) << url;
    EXPECT_NE(check(std::string("https://x/\0y", 12)), nullptr);
    EXPECT_NE(check("http://example.com/", "A: b", false), nullptr);
}

TEST(RequestCheck, RefusesHeaders) {
    for (const std::string& header :
         {std::string(), std::string("A"), std::string("A;"), std::string(": b"), std::string("A : b"),
          std::string("A\t: b"), std::string("A: b\r"), std::string("A: b\nC: d"), std::string("A: \0", 4),
          std::string("\0A: b", 5), std::string("CONTENT-LENGTH: 1"), std::string("Transfer-Encoding: chunked"),
          std::string("connection: close"), std::string("Upgrade: h2c"), std::string("Expect: 100-continue"),
          std::string("TE: trailers")})
        EXPECT_NE(check("https://example.com/", header), nullptr) << header;
}

}  // namespace
}  // namespace pgchat
