// The transport against a server whose every byte is scripted: each outcome, each phase of cancelling, and reuse.
#include "core/http/curl_transport.hpp"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>

#include "support/http_test_client.hpp"
#include "support/test_http_server.hpp"

namespace pgchat {
namespace {

using namespace std::chrono_literals;

class CurlTransportTest : public testing::Test {
protected:
    static std::vector<ReplyStep> reply(const ServedRequest& request);

    HttpRequest request(const std::string& path) const {
        HttpRequest request;
        request.url = server.url(path);
        request.trusted_host = true;
        return request;
    }
    HttpResult get(HttpRequest wanted) {
        handler = RecordingHandler{};
        transport.start(std::move(wanted), handler);
        return finish(transport, handler);
    }
    HttpResult get(const std::string& path) { return get(request(path)); }

    SteadyClock clock;
    TestHttpServer server{&CurlTransportTest::reply};
    RecordingHandler handler;
    CurlTransport transport{clock};
};

std::vector<ReplyStep> CurlTransportTest::reply(const ServedRequest& request) {
    const std::string chunked_head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string& path = request.path;
    if (path == "/hello") return {{http_response("hello")}};
    if (path == "/echo") return {{http_response(request.head + "\n" + request.body)}};
    if (path == "/chunked") return {{chunked_head + http_chunk("one ")}, {http_chunk("two"), 20ms}, {http_chunk("")}};
    if (path == "/silent") return {};
    if (path == "/head-only") return {{chunked_head}};
    if (path == "/stalls") return {{chunked_head + http_chunk("start")}};
    if (path == "/slow") {
        std::vector<ReplyStep> steps{{chunked_head}};
        for (int i = 0; i < 20; ++i) steps.push_back({http_chunk("x"), 25ms});
        steps.push_back({http_chunk("")});
        return steps;
    }
    if (path == "/endless") return {{chunked_head}, {.bytes = http_chunk(std::string(60'000, 'e')), .endless = true}};
    if (path == "/truncated-chunks") return {{chunked_head + http_chunk("part"), 0ms, false, true}};
    if (path == "/truncated-length") return {{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", 0ms, false, true}};
    if (path == "/until-close") return {{"HTTP/1.1 200 OK\r\n\r\nall of it", 0ms, false, true}};
    if (path == "/garbage") return {{"SSH-2.0-OpenSSH_9.2\r\n", 0ms, false, true}};
    if (path == "/hangs-up") return {{"", 0ms, false, true}};
    if (path == "/resets")
        return {{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"}, {"", 20ms, false, false, true}};
    if (path == "/redirect") return {{http_response("", "302 Found", "Location: /hello\r\n")}};
    if (path == "/limited")
        return {{http_response("wait", "429 Too Many Requests",
                               "Retry-After: 7\r\nCONTENT-TYPE: Text/Plain; Charset=UTF-8\r\n")}};
    if (path == "/early-hints")
        return {{"HTTP/1.1 103 Early Hints\r\nContent-Type: a/b\r\n\r\n" + http_response("hello")}};
    if (path == "/compressed") return {{http_response("\x1f\x8b", "200 OK", "Content-Encoding: gzip\r\n")}};
    if (path == "/huge-head")
        return {{"HTTP/1.1 200 OK\r\n"}, {.bytes = "X-Filler: " + std::string(1000, 'h') + "\r\n", .endless = true}};
    if (path == "/first-only") {
        if (request.number_on_connection == 1) return {{http_response("hello")}};
        return {{"", 0ms, false, true}};
    }
    return {{http_response("no such path", "404 Not Found")}};
}

TEST_F(CurlTransportTest, DeliversAResponseWithALength) {
    const HttpResult result = get("/hello");
    EXPECT_EQ(result.outcome, HttpOutcome::ok);
    EXPECT_EQ(result.status, 200);
    EXPECT_TRUE(result.request_sent);
    EXPECT_EQ(result.message, "");
    EXPECT_EQ(handler.body, "hello");
    EXPECT_EQ(handler.heads, 1);
    EXPECT_EQ(transport.in_flight(), 0u);
}

TEST_F(CurlTransportTest, SendsBodyAndHeadersAsGiven) {
    HttpRequest post = request("/echo");
    post.headers = {"Content-Type: application/json", "X-Test: a:b"};
    post.body = std::string("{\"a\":\"\0\"}", 9) + std::string(200'000, 'b');
    const std::string body = post.body;
    EXPECT_EQ(get(std::move(post)).outcome, HttpOutcome::ok);
    EXPECT_TRUE(handler.body.starts_with("POST /echo HTTP/1.1\r\n"));
    EXPECT_TRUE(handler.body.ends_with(body));
    EXPECT_NE(handler.body.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(handler.body.find("\r\nX-Test: a:b\r\n"), std::string::npos);
    EXPECT_EQ(handler.body.find("Expect"), std::string::npos);
    EXPECT_EQ(handler.body.find("Accept-Encoding"), std::string::npos);
    // The same handle again, without a body.
    EXPECT_EQ(get("/echo").outcome, HttpOutcome::ok);
    EXPECT_TRUE(handler.body.starts_with("GET /echo HTTP/1.1\r\n"));
    EXPECT_EQ(handler.body.find("X-Test"), std::string::npos);
    EXPECT_EQ(handler.body.find("Content-Length"), std::string::npos);
}

TEST_F(CurlTransportTest, DeliversChunksAsTheyCome) {
    handler = RecordingHandler{};
    transport.start(request("/chunked"), handler);
    EXPECT_TRUE(run_until(transport, [&] { return !handler.body.empty(); }));
    EXPECT_EQ(handler.body, "one ");
    EXPECT_EQ(handler.head->content_type, "text/event-stream");
    EXPECT_EQ(finish(transport, handler).outcome, HttpOutcome::ok);
    EXPECT_EQ(handler.body, "one two");
}

TEST_F(CurlTransportTest, ReportsStatusAndHeadersOfFailures) {
    const HttpResult result = get("/limited");
    EXPECT_EQ(result.outcome, HttpOutcome::ok);
    EXPECT_EQ(result.status, 429);
    EXPECT_EQ(handler.head->status, 429);
    EXPECT_EQ(handler.head->retry_after, "7");
    EXPECT_EQ(handler.head->content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(handler.body, "wait");
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    EXPECT_EQ(handler.head->retry_after, "");
}

TEST_F(CurlTransportTest, SkipsInformationalHeads) {
    EXPECT_EQ(get("/early-hints").outcome, HttpOutcome::ok);
    EXPECT_EQ(handler.head->status, 200);
    EXPECT_EQ(handler.head->content_type, "");
    EXPECT_EQ(handler.body, "hello");
}

TEST_F(CurlTransportTest, DoesNotFollowRedirects) {
    EXPECT_EQ(get("/redirect").status, 302);
    EXPECT_EQ(server.requests(), 1);
}

TEST_F(CurlTransportTest, KeepsConnections) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(server.requests(), 20);
}

TEST_F(CurlTransportTest, EndsAStreamThatStops) {
    for (const char* path : {"/stalls", "/head-only"}) {
        HttpRequest stalled = request(path);
        stalled.idle_timeout = 60ms;
        const HttpResult result = get(stalled);
        EXPECT_EQ(result.outcome, HttpOutcome::idle_timeout) << path;
        EXPECT_EQ(result.status, 200);
        EXPECT_TRUE(result.request_sent);
    }
    EXPECT_TRUE(run_until(transport, [&] { return server.open_connections() == 0; }));
}

TEST_F(CurlTransportTest, SlowBytesAreNotSilence) {
    HttpRequest slow = request("/slow");
    slow.idle_timeout = 400ms;  // 20 bytes, 25 ms apart
    EXPECT_EQ(get(slow).outcome, HttpOutcome::ok);
    EXPECT_EQ(handler.body.size(), 20u);
}

TEST_F(CurlTransportTest, EndsARequestThatTakesTooLongInAll) {
    HttpRequest silent = request("/silent");
    silent.idle_timeout = 10ms;  // counts only once a response has begun
    silent.total_timeout = 80ms;
    const auto before = std::chrono::steady_clock::now();
    const HttpResult result = get(silent);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 80ms);
    EXPECT_EQ(result.outcome, HttpOutcome::total_timeout);
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(result.request_sent);
    HttpRequest slow = request("/slow");
    slow.total_timeout = 80ms;
    EXPECT_EQ(get(slow).outcome, HttpOutcome::total_timeout);
    EXPECT_EQ(handler.result->status, 200);
}

TEST_F(CurlTransportTest, CutsAnEndlessBodyAtTheCap) {
    HttpRequest endless = request("/endless");
    endless.max_response_bytes = 64u << 20;
    handler.keep_body = false;
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_SELF, &before);
    transport.start(endless, handler);
    EXPECT_EQ(finish(transport, handler).outcome, HttpOutcome::too_large);
    getrusage(RUSAGE_SELF, &after);
    EXPECT_LE(handler.received, endless.max_response_bytes);
    EXPECT_GT(handler.received, endless.max_response_bytes - (64u << 10));
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 << 10) << "kilobytes";
    EXPECT_TRUE(run_until(transport, [&] { return server.open_connections() == 0; }));
}

TEST_F(CurlTransportTest, TakesABodyOfExactlyTheCap) {
    HttpRequest exact = request("/hello");
    exact.max_response_bytes = 5;
    EXPECT_EQ(get(exact).outcome, HttpOutcome::ok);
    exact.max_response_bytes = 4;
    EXPECT_EQ(get(exact).outcome, HttpOutcome::too_large);
}

TEST_F(CurlTransportTest, TellsBrokenFromWhole) {
    for (const char* path : {"/truncated-chunks", "/truncated-length", "/resets", "/hangs-up"}) {
        const HttpResult result = get(path);
        EXPECT_EQ(result.outcome, HttpOutcome::broken) << path << ": " << result.message;
        EXPECT_TRUE(result.request_sent) << path;
        EXPECT_FALSE(result.message.empty()) << path;
    }
    EXPECT_EQ(get("/until-close").outcome, HttpOutcome::ok);
    EXPECT_EQ(handler.body, "all of it");
}

TEST_F(CurlTransportTest, RefusesWhatIsNotPlainHttp) {
    for (const char* path : {"/garbage", "/compressed", "/huge-head"}) {
        const HttpResult result = get(path);
        EXPECT_EQ(result.outcome, HttpOutcome::protocol_error) << path << ": " << result.message;
        EXPECT_TRUE(result.request_sent) << path;
        EXPECT_EQ(handler.received, 0u) << path;
    }
}

TEST_F(CurlTransportTest, ReportsWhereItCouldNotConnect) {
    const int unused = socket(AF_INET, SOCK_STREAM, 0);  // bound, so that nobody else gets it, and not listening
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(unused, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(getsockname(unused, reinterpret_cast<sockaddr*>(&address), &size), 0);
    HttpRequest refused = request("/");
    refused.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    HttpResult result = get(refused);
    EXPECT_EQ(result.outcome, HttpOutcome::connect_failed);
    EXPECT_FALSE(result.request_sent);
    EXPECT_EQ(result.status, 0);

    // A listener whose queue is full answers nothing.
    ASSERT_EQ(listen(unused, 0), 0);
    std::vector<int> fillers;
    for (int i = 0; i < 3; ++i) {
        fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), size);
    }
    refused.connect_timeout = 80ms;
    result = get(refused);
    EXPECT_EQ(result.outcome, HttpOutcome::connect_timeout);
    EXPECT_FALSE(result.request_sent);
    for (const int fd : fillers) close(fd);
    close(unused);
}

TEST_F(CurlTransportTest, ReportsANameThatDoesNotResolve) {
    HttpRequest unknown = request("/");
    unknown.url = "http://no-such-host.invalid/";
    const HttpResult result = get(unknown);
    EXPECT_EQ(result.outcome, HttpOutcome::resolve_failed) << result.message;
    EXPECT_FALSE(result.request_sent);
}

TEST_F(CurlTransportTest, ConnectsToPublicAddressesOnlyUnlessTrusted) {
    for (const std::string& url :
         {server.url("/hello", "https"), "https://localhost:" + std::to_string(server.port()) + "/hello",
          std::string("https://10.0.0.1/"), std::string("https://[::ffff:127.0.0.1]/"),
          std::string("https://2130706433/")}) {
        HttpRequest untrusted;
        untrusted.url = url;
        const HttpResult result = get(untrusted);
        EXPECT_EQ(result.outcome, HttpOutcome::address_refused) << url << ": " << result.message;
        EXPECT_FALSE(result.request_sent);
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlTransportTest, RefusesInvalidRequestsAtTheNextRun) {
    std::deque<RecordingHandler> handlers;
    const auto start = [&](HttpRequest refused) {
        return transport.start(std::move(refused), handlers.emplace_back());
    };
    for (const char* url :
         {"", "file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1/", "http://127.0.0.1/\r\nX: y", "http://a b/"}) {
        HttpRequest refused = request("/hello");
        refused.url = url;
        start(refused);
    }
    for (const std::string& header : {std::string("X: a\r\nY: b"), std::string("X: a\n"), std::string("X: a\0b", 6),
                                      std::string("no colon"), std::string(": empty"), std::string("bad name: x"),
                                      std::string("Content-Length: 3"), std::string("transfer-encoding: chunked")}) {
        HttpRequest refused = request("/hello");
        refused.headers = {"Good: yes", header};
        start(refused);
    }
    HttpRequest untrusted = request("/hello");
    untrusted.trusted_host = false;
    const Transport::Id last = start(untrusted);
    RecordingHandler cancelled;
    HttpRequest refused = request("/hello");
    refused.url = "x";
    const Transport::Id id = transport.start(refused, cancelled);
    EXPECT_NE(id, last);
    transport.cancel(id);
    EXPECT_FALSE(handlers.front().result.has_value());
    EXPECT_LE(transport.next_deadline(), clock.now());
    transport.run();
    for (const RecordingHandler& told : handlers) {
        ASSERT_TRUE(told.result.has_value());
        EXPECT_EQ(told.result->outcome, HttpOutcome::invalid_request);
        EXPECT_FALSE(told.result->request_sent);
        EXPECT_FALSE(told.result->message.empty());
    }
    EXPECT_FALSE(cancelled.result.has_value());
    EXPECT_EQ(server.connections(), 0);
    EXPECT_FALSE(transport.next_deadline().has_value());
}

TEST_F(CurlTransportTest, IgnoresProxiesOfTheEnvironment) {
    const char* variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (const char* name : variables) setenv(name, "http://127.0.0.1:1", 1);
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    for (const char* name : variables) unsetenv(name);
}

TEST_F(CurlTransportTest, AHandlerCanStop) {
    handler.accept_head = false;
    transport.start(request("/stalls"), handler);
    EXPECT_EQ(finish(transport, handler).outcome, HttpOutcome::aborted);
    EXPECT_EQ(handler.received, 0u);
    RecordingHandler second;
    second.stop_after = 1;
    transport.start(request("/stalls"), second);
    EXPECT_EQ(finish(transport, second).outcome, HttpOutcome::aborted);
    EXPECT_TRUE(second.result->request_sent);
}

TEST_F(CurlTransportTest, CancelsInEveryPhase) {
    const auto id = transport.start(request("/stalls"), handler);
    transport.cancel(id);  // before anything
    EXPECT_FALSE(run_until(
        transport, [&] { return handler.result.has_value(); }, 30ms));
    EXPECT_EQ(server.connections(), 0);

    RecordingHandler waiting;
    const auto waiting_id = transport.start(request("/silent"), waiting);
    EXPECT_TRUE(run_until(transport, [&] { return server.requests() == 1; }));
    transport.cancel(waiting_id);
    RecordingHandler reading;
    const auto reading_id = transport.start(request("/stalls"), reading);
    EXPECT_TRUE(run_until(transport, [&] { return reading.received > 0; }));
    transport.cancel(reading_id);
    transport.cancel(reading_id);  // nothing more
    transport.cancel(waiting_id);
    EXPECT_TRUE(run_until(transport, [&] { return server.open_connections() == 0; }));
    EXPECT_FALSE(waiting.result.has_value());
    EXPECT_FALSE(reading.result.has_value());
    EXPECT_EQ(transport.in_flight(), 0u);
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    transport.cancel(reading_id);
}

TEST_F(CurlTransportTest, CancelsANameLookUpWithoutWaitingForIt) {
    HttpRequest unknown = request("/");
    unknown.url = "http://no-such-host.invalid/";
    const auto id = transport.start(unknown, handler);
    transport.run();
    transport.cancel(id);
    EXPECT_EQ(transport.in_flight(), 0u);
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
}

TEST_F(CurlTransportTest, HandlersMayStartAndCancelWhenTold) {
    RecordingHandler victim;
    RecordingHandler next;
    const auto victim_id = transport.start(request("/stalls"), victim);
    EXPECT_TRUE(run_until(transport, [&] { return victim.received > 0; }));
    handler.when_finished = [&] {
        transport.cancel(victim_id);
        transport.start(request("/hello"), next);
    };
    transport.start(request("/hello"), handler);
    EXPECT_EQ(finish(transport, next).outcome, HttpOutcome::ok);
    EXPECT_FALSE(victim.result.has_value());
    EXPECT_EQ(transport.in_flight(), 0u);
}

TEST_F(CurlTransportTest, HandlersMayCancelOthersThatEndInTheSameRun) {
    std::deque<RecordingHandler> handlers(20);
    std::vector<Transport::Id> ids;
    for (RecordingHandler& each : handlers) {
        each.when_finished = [&] {
            for (const Transport::Id id : ids) transport.cancel(id);
        };
        HttpRequest silent = request("/silent");
        silent.total_timeout = 50ms;
        ids.push_back(transport.start(silent, each));
    }
    const auto told = [&] {
        return std::count_if(handlers.begin(), handlers.end(),
                             [](const RecordingHandler& each) { return each.result.has_value(); });
    };
    EXPECT_TRUE(run_until(transport, [&] { return told() > 0; }));
    EXPECT_FALSE(run_until(
        transport, [&] { return told() > 1; }, 100ms));
    EXPECT_EQ(transport.in_flight(), 0u);
}

TEST_F(CurlTransportTest, NeverSendsABodyTwice) {
    EXPECT_EQ(get("/first-only").outcome, HttpOutcome::ok);
    HttpRequest post = request("/first-only");
    post.body = "pay once";
    const HttpResult result = get(post);
    EXPECT_EQ(result.outcome, HttpOutcome::broken) << result.message;
    EXPECT_TRUE(result.request_sent);
    EXPECT_EQ(server.requests(), 2);
    // Without a body the request is repeated on a new connection.
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    EXPECT_EQ(get("/first-only").outcome, HttpOutcome::ok);
}

TEST_F(CurlTransportTest, DoesNotUseAConnectionThatIsKnownToBeClosed) {
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    EXPECT_EQ(get("/until-close").outcome, HttpOutcome::ok);
    EXPECT_TRUE(run_until(transport, [&] { return server.open_connections() == 0; }));
    HttpRequest post = request("/echo");
    post.body = "x";
    EXPECT_EQ(get(post).outcome, HttpOutcome::ok);
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlTransportTest, CarriesFiveHundredAtOnce) {
    std::deque<RecordingHandler> handlers(500);
    std::size_t finished = 0;
    for (RecordingHandler& each : handlers) {
        each.when_finished = [&] { ++finished; };
        transport.start(request("/chunked"), each);
    }
    EXPECT_EQ(transport.in_flight(), 500u);
    EXPECT_TRUE(run_until(transport, [&] { return finished == handlers.size(); }));
    for (const RecordingHandler& each : handlers) {
        EXPECT_EQ(each.result->outcome, HttpOutcome::ok) << each.result->message;
        EXPECT_EQ(each.body, "one two");
    }
    EXPECT_LE(server.connections(), 500);
}

TEST_F(CurlTransportTest, ClosesWhatACrowdNeededOnceItHasGone) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);  // both ends of each connection are in this process
    setrlimit(RLIMIT_NOFILE, &files);
    CurlTransport other(clock, {.max_connection_idle = 0s});
    std::deque<RecordingHandler> handlers(600);
    std::vector<Transport::Id> ids;
    for (RecordingHandler& each : handlers) ids.push_back(other.start(request("/stalls"), each));
    const auto all_started = [&] {
        return std::all_of(handlers.begin(), handlers.end(),
                           [](const RecordingHandler& each) { return each.received > 0; });
    };
    EXPECT_TRUE(run_until(other, all_started));
    EXPECT_EQ(server.open_connections(), 600);
    for (const Transport::Id id : ids) other.cancel(id);
    EXPECT_EQ(other.in_flight(), 0u);
    EXPECT_TRUE(run_until(other, [&] { return server.open_connections() == 0; }));

    // The same with connections that would be kept.
    std::size_t finished = 0;
    for (RecordingHandler& each : handlers) {
        each = RecordingHandler{};
        each.when_finished = [&] { ++finished; };
        other.start(request("/chunked"), each);
    }
    EXPECT_TRUE(run_until(other, [&] { return finished == handlers.size(); }));
    for (const RecordingHandler& each : handlers) EXPECT_EQ(each.body, "one two");
    EXPECT_TRUE(run_until(other, [&] { return server.open_connections() <= 512; }));
    RecordingHandler again;
    other.start(request("/hello"), again);
    EXPECT_EQ(finish(other, again).outcome, HttpOutcome::ok);
}

TEST_F(CurlTransportTest, RestsWhenThereIsNothingToDo) {
    EXPECT_EQ(get("/hello").outcome, HttpOutcome::ok);
    pollfd poll_entry{transport.poll_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&poll_entry, 1, 50), 0);
}

TEST_F(CurlTransportTest, ForgetsItsRequestsWhenDestroyed) {
    RecordingHandler streaming;
    RecordingHandler resolving;
    {
        CurlTransport other(clock);
        other.start(request("/stalls"), streaming);
        EXPECT_TRUE(run_until(other, [&] { return streaming.received > 0; }));
        HttpRequest unknown = request("/");
        unknown.url = "http://no-such-host.invalid/";
        other.start(unknown, resolving);
        other.run();
        resolving.result.reset();
    }
    EXPECT_FALSE(streaming.result.has_value());
    EXPECT_FALSE(resolving.result.has_value());
    EXPECT_TRUE(run_until(transport, [&] { return server.open_connections() == 0; }));
}

}  // namespace
}  // namespace pgchat
