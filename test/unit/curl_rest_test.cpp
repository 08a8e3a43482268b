// Streams that rest between reads: fewer reads, nothing lost, no large body slowed down, no later call held up.
#include <thread>

#include "support/http_test_client.hpp"
#include "support/test_http_server.hpp"
#include "support/tls_test_server.hpp"

namespace pgchat {
namespace {

using namespace std::chrono_literals;

constexpr int piece_count = 40;
const std::string large_body(4 << 20, 'l');

std::vector<ReplyStep> rest_reply(const ServedRequest& request) {
    if (request.path != "/pieces") return {{http_response(request.path == "/large" ? large_body : "hello")}};
    std::vector<ReplyStep> steps{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}};
    for (int i = 0; i < piece_count; ++i) steps.push_back({http_chunk(std::to_string(i) + " "), 5ms});
    steps.push_back({http_chunk("")});
    return steps;
}

class CurlRestTest : public testing::Test {
protected:
    void start(const std::string& path, Milliseconds rest) {
        HttpRequest request;
        request.url = server.url(path);
        request.trusted_host = true;
        request.read_rest = rest;
        handler = RecordingHandler{};
        transport.start(std::move(request), handler);
    }
    Milliseconds get(const std::string& path, Milliseconds rest) {
        const TimePoint begin = clock.now();
        start(path, rest);
        EXPECT_EQ(finish(transport, handler).outcome, HttpOutcome::ok);
        return std::chrono::duration_cast<Milliseconds>(clock.now() - begin);
    }

    SteadyClock clock;
    TestHttpServer server{&rest_reply};
    RecordingHandler handler;
    CurlTransport transport{clock};
};

TEST_F(CurlRestTest, SmallPiecesAreReadTogether) {
    std::string whole;
    for (int i = 0; i < piece_count; ++i) whole += std::to_string(i) + " ";
    start("/pieces", 50ms);
    int reads = 0;
    EXPECT_TRUE(run_until(transport, [&, before = 0]() mutable {
        reads += handler.pieces != before;
        before = handler.pieces;
        return handler.result.has_value();
    }));
    EXPECT_EQ(handler.body, whole);
    EXPECT_LT(reads, piece_count / 3) << "libcurl hands over each chunk, but several after one read";
}

TEST_F(CurlRestTest, ALargeBodyIsNotSlowedDown) {
    EXPECT_LT(get("/large", 500ms), 3s) << "each read of it takes 4 KB";
    EXPECT_EQ(handler.received, large_body.size());
}

TEST_F(CurlRestTest, TheNextCallOnTheConnectionIsAnsweredAtOnce) {
    get("/pieces", 50ms);
    EXPECT_LT(get("/hello", 2000ms), 1s);
    EXPECT_EQ(server.connections(), 1);
}

// A provider sends a record for each token; a read takes all that have come.
TEST(CurlRestTlsTest, RecordsAreReadTogether) {
    constexpr Milliseconds rest{200};
    TlsTestServer server(TlsTestServer::Answers::what_is_told);
    SteadyClock clock;
    CurlTransport transport(clock, {.ca_file = server.certificate_file()});
    RecordingHandler handler;
    HttpRequest request;
    request.url = server.url("127.0.0.1");
    request.trusted_host = true;
    request.read_rest = rest;
    transport.start(std::move(request), handler);
    ASSERT_TRUE(run_until(transport, [&] { return server.has_received("GET / "); }));
    const TimePoint begin = clock.now();
    std::jthread provider([&] {
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < piece_count; ++i) {
            std::this_thread::sleep_for(5ms);
            server.send(http_chunk(std::to_string(i) + " "));
        }
        std::this_thread::sleep_for(5ms);
        server.send(http_chunk(""));
    });
    EXPECT_EQ(finish(transport, handler).outcome, HttpOutcome::ok);
    EXPECT_LT(clock.now() - begin, rest * piece_count / 2) << "one record a rest would take twice that";
    EXPECT_NE(handler.body.find("39 "), std::string::npos);
}

}  // namespace
}  // namespace pgchat
