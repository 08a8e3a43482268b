// Certificates: the one that is trusted works, every other ends the call before a byte of the request is sent.
#include <gtest/gtest.h>

#include "core/http/curl_transport.hpp"
#include "support/http_test_client.hpp"
#include "support/test_http_server.hpp"
#include "support/tls_test_server.hpp"

namespace pgchat {
namespace {

class CurlTransportTlsTest : public testing::Test {
protected:
    HttpResult get(const std::string& url, const std::string& ca_file) {
        CurlTransport transport(clock, {.ca_file = ca_file});
        HttpRequest request;
        request.url = url;
        request.trusted_host = true;
        transport.start(request, handler);
        return finish(transport, handler);
    }

    SteadyClock clock;
    TlsTestServer server;
    RecordingHandler handler;
};

TEST_F(CurlTransportTlsTest, AcceptsACertificateOfItsAuthority) {
    const HttpResult result = get(server.url("127.0.0.1"), server.certificate_file());
    EXPECT_EQ(result.outcome, HttpOutcome::ok) << result.message;
    EXPECT_EQ(result.status, 200);
    EXPECT_NE(handler.body.find("TLSv1."), std::string::npos);
}

TEST_F(CurlTransportTlsTest, RefusesAnUnknownAuthority) {
    const HttpResult result = get(server.url("127.0.0.1"), "");
    EXPECT_EQ(result.outcome, HttpOutcome::tls_failed) << result.message;
    EXPECT_FALSE(result.request_sent);
    EXPECT_FALSE(result.message.empty());
}

TEST_F(CurlTransportTlsTest, RefusesACertificateOfAnotherHost) {
    EXPECT_EQ(get(server.url("localhost"), server.certificate_file()).outcome, HttpOutcome::tls_failed);
    EXPECT_FALSE(handler.result->request_sent);
}

TEST_F(CurlTransportTlsTest, FailsWithoutItsAuthorityFile) {
    EXPECT_EQ(get(server.url("127.0.0.1"), "/nonexistent/ca.pem").outcome, HttpOutcome::tls_failed);
}

TEST_F(CurlTransportTlsTest, TheConnectTimeoutCoversTheHandshake) {
    // It takes the handshake for the beginning of a request, and waits for the rest.
    const TestHttpServer plain([](const ServedRequest&) { return std::vector<ReplyStep>{}; });
    CurlTransport transport(clock, {.ca_file = server.certificate_file()});
    HttpRequest request;
    request.url = plain.url("/", "https");
    request.trusted_host = true;
    request.connect_timeout = std::chrono::milliseconds(100);
    transport.start(request, handler);
    EXPECT_EQ(finish(transport, handler).outcome, HttpOutcome::connect_timeout);
    EXPECT_FALSE(handler.result->request_sent);
}

}  // namespace
}  // namespace pgchat
