// One request that the echo transport plays: what is due when, and how it ends.
#pragma once

#include <string>

#include "core/clock.hpp"
#include "core/http/transport.hpp"
#include "core/llm/echo_script.hpp"

namespace pgchat {

class EchoCall {
public:
    // Takes the time-outs and the byte cap from `limits`.
    EchoCall(EchoRequest request, const HttpRequest& limits, HttpHandler& handler, TimePoint now);
    // A call that ends as invalid_request with `reason`.
    EchoCall(std::string reason, HttpHandler& handler, TimePoint now);

    // When play() has something to do.
    TimePoint next_time() const noexcept { return next_time_; }
    // Delivers all that is due at `now`, as it would have come. False when the call has ended: then tell_result().
    bool play(TimePoint now);
    void tell_result() { handler_.on_finished(result_); }

private:
    bool is_error() const noexcept;
    // Frames are what arrives at one time: of a stream the opening, each token and the closing; else the whole body.
    bool is_framed_by_token() const noexcept { return request_.stream && !is_error(); }
    std::size_t tokens_sent() const noexcept;
    std::size_t frame_count() const noexcept;
    TimePoint frame_time(std::size_t index) const;
    TimePoint token_time(std::size_t index) const;
    TimePoint deadline() const;
    TimePoint time_of_next() const;
    void append_frame(std::size_t index);
    void append_body();
    bool send_frame();
    bool send_head();
    bool flush();
    // Sets the result; returns false.
    bool end(HttpOutcome outcome, const char* message);
    bool end_after_last_frame();

    EchoRequest request_;
    HttpHandler& handler_;
    TimePoint started_;
    Milliseconds idle_timeout_{0};
    Milliseconds total_timeout_{0};
    std::size_t max_bytes_ = 0;

    TimePoint next_time_;
    TimePoint last_activity_;
    std::size_t next_frame_ = 0;
    std::size_t bytes_ = 0;
    bool head_sent_ = false;
    std::string buffer_;  // what is due and not yet handed on
    HttpResult result_;
};

}  // namespace pgchat
