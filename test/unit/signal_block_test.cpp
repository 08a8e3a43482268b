// Threads started under a SignalBlock run no handlers of ours.
#include "core/http/signal_block.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "support/http_test_client.hpp"
#include "support/test_http_server.hpp"

namespace pgchat {
namespace {

bool blocked(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

TEST(SignalBlock, HoldsForNewThreadsAndEndsWithItsScope) {
    ASSERT_FALSE(blocked(SIGTERM));
    {
        const SignalBlock block;
        std::thread([] {
            for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGALRM, SIGCHLD, SIGURG, SIGQUIT})
                EXPECT_TRUE(blocked(signal)) << signal;
            EXPECT_FALSE(blocked(SIGSEGV));
        }).join();
    }
    EXPECT_FALSE(blocked(SIGTERM));
    EXPECT_FALSE(blocked(SIGURG));
}

class MaskWatcher final : public HttpHandler {
public:
    bool on_head(const HttpResponseHead&) noexcept override { return in_io = blocked(SIGTERM); }
    bool on_body(std::string_view) noexcept override { return true; }
    void on_finished(const HttpResult& result) noexcept override {
        outcome = result.outcome;
        when_told = blocked(SIGTERM);
    }
    bool in_io = false;
    bool when_told = true;
    std::optional<HttpOutcome> outcome;
};

TEST(SignalBlock, CoversTheTransportsIoAndNotItsReports) {
    const TestHttpServer server([](const ServedRequest&) { return std::vector<ReplyStep>{{http_response("hello")}}; });
    const SteadyClock clock;
    CurlTransport transport(clock);
    MaskWatcher watcher;
    HttpRequest request;
    request.url = server.url("/");
    request.trusted_host = true;
    transport.start(request, watcher);
    EXPECT_TRUE(run_until(transport, [&] { return watcher.outcome.has_value(); }));
    EXPECT_EQ(watcher.outcome, HttpOutcome::ok);
    EXPECT_TRUE(watcher.in_io);
    EXPECT_FALSE(watcher.when_told);
    EXPECT_FALSE(blocked(SIGTERM));
}

}  // namespace
}  // namespace pgchat
