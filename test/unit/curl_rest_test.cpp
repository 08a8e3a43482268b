// Streams that rest between reads: fewer reads, nothing lost, no large body slowed down, no later call held up.
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// Many streams at once, whose pieces are sent, and have arrived, when the test says so.
class StreamSource {
public:
    StreamSource() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(listener_, 1000), 0);
        socklen_t size = sizeof address;
        EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    }
    ~StreamSource() {
        ::close(listener_);
        for (const int fd : connections_) ::close(fd);
    }
    const std::string& url() const { return url_; }
    // How many clients have sent a request so far; does not wait.
    std::size_t requests() {
        for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) connections_.push_back(fd);
        return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(), [](int fd) {
            int unread = 0;
            return ioctl(fd, FIONREAD, &unread) == 0 && unread > 0;
        }));
    }
    // Returns when each client's side of the kernel has it.
    void send(const std::string& bytes) {
        for (const int fd : connections_)
            EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
        for (const int fd : connections_)
            for (int unacknowledged = 1; unacknowledged != 0; std::this_thread::sleep_for(1ms))
                ASSERT_EQ(ioctl(fd, SIOCOUTQ, &unacknowledged), 0);
    }

private:
    int listener_;
    std::string url_;
    std::vector<int> connections_;
};

// While it hurries, each look at it takes longer than a run may go on.
class HurryingClock final : public Clock {
public:
    TimePoint now() const noexcept override {
        if (hurries) ahead += 5ms;
        return SteadyClock().now() + ahead;
    }
    std::int64_t unix_seconds() const noexcept override { return SteadyClock().unix_seconds(); }

    mutable Milliseconds ahead{0};
    bool hurries = false;
};

// What was reported and waits for its turn is not reported again.
TEST(CurlRestCrowdTest, StreamsThatARunLeavesUnreadAreReadByTheNextOneAtOnce) {
    constexpr Milliseconds rest{25};
    StreamSource source;
    HurryingClock clock;
    std::array<RecordingHandler, SocketPoll::batch_size + 8> handlers;
    CurlTransport transport(clock);
    for (RecordingHandler& handler : handlers) {
        HttpRequest request;
        request.url = source.url();
        request.trusted_host = true;
        request.read_rest = rest;
        transport.start(std::move(request), handler);
    }
    const auto all_have = [&](const std::string& body) {
        return std::all_of(handlers.begin(), handlers.end(), [&](const auto& handler) { return handler.body == body; });
    };
    ASSERT_TRUE(run_until(transport, [&] { return source.requests() == handlers.size(); }));
    source.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + http_chunk("1"));
    ASSERT_TRUE(run_until(transport, [&] { return all_have("1"); }));
    source.send(http_chunk("2"));
    clock.ahead += 2 * rest;
    clock.hurries = true;
    transport.run();
    clock.hurries = false;
    EXPECT_EQ(std::count_if(handlers.begin(), handlers.end(), [](const auto& handler) { return handler.body == "12"; }),
              SocketPoll::batch_size);
    pollfd entry{transport.poll_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, 0), 0) << "nothing else ends a sleep";
    ASSERT_TRUE(transport.next_deadline());
    EXPECT_LE(*transport.next_deadline(), clock.now());
    transport.run();
    EXPECT_TRUE(all_have("12"));
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
