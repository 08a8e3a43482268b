// What tests of a Transport need: a handler that remembers, and a loop that waits for what should happen.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/http/curl_transport.hpp"

namespace pgchat {

class RecordingHandler final : public HttpHandler {
public:
    bool on_head(const HttpResponseHead& response_head) noexcept override {
        EXPECT_FALSE(result.has_value());
        head = response_head;
        ++heads;
        return accept_head;
    }
    bool on_body(std::string_view bytes) noexcept override {
        EXPECT_FALSE(result.has_value());
        EXPECT_EQ(heads, 1);
        received += bytes.size();
        ++pieces;
        if (keep_body) body += bytes;
        return received < stop_after;
    }
    void on_finished(const HttpResult& http_result) noexcept override {
        EXPECT_FALSE(result.has_value()) << "told twice";
        result = http_result;
        if (when_finished) when_finished();
    }

    bool accept_head = true;
    bool keep_body = true;
    std::size_t stop_after = SIZE_MAX;
    std::function<void()> when_finished;

    std::optional<HttpResponseHead> head;
    int heads = 0;
    std::size_t received = 0;
    int pieces = 0;  // calls of on_body
    std::string body;
    std::optional<HttpResult> result;
};

// Does what the engine's loop does until `done`, or for `limit`. Returns whether it was done.
inline bool run_until(CurlTransport& transport, const std::function<bool()>& done,
                      std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    transport.run();
    while (!done()) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= end) return false;
        // What the server counts wakes nobody: look every few milliseconds.
        const auto next = std::min(transport.next_deadline().value_or(end), now + std::chrono::milliseconds(5));
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::max(next, now) - now);
        pollfd poll_entry{transport.poll_fd(), POLLIN, 0};
        poll(&poll_entry, 1, static_cast<int>(wait.count()));
        transport.run();
    }
    return true;
}

inline HttpResult finish(CurlTransport& transport, RecordingHandler& handler) {
    EXPECT_TRUE(run_until(transport, [&] { return handler.result.has_value(); })) << "never finished";
    return handler.result.value_or(HttpResult{});
}

}  // namespace pgchat
