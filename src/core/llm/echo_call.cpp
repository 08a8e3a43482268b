#include "core/llm/echo_call.hpp"

#include <algorithm>

#include "core/llm/echo_wire.hpp"

namespace pgchat {
namespace {

constexpr int status_ok = 200;
constexpr std::size_t flush_bytes = 16u << 10;  // as much as a network would bring at once
constexpr TimePoint never = TimePoint::max();

// `time` + `span`, without overflow.
TimePoint later(TimePoint time, std::chrono::nanoseconds span) {
    return span > never - time ? never : time + span;
}

TimePoint later(TimePoint time, Milliseconds span) {
    return span > std::chrono::duration_cast<Milliseconds>(never - time) ? never : time + span;
}

}  // namespace

EchoCall::EchoCall(EchoRequest request, const HttpRequest& limits, HttpHandler& handler, TimePoint now)
    : request_(std::move(request)),
      handler_(handler),
      started_(now),
      idle_timeout_(limits.idle_timeout),
      total_timeout_(limits.total_timeout),
      max_bytes_(limits.max_response_bytes),
      next_time_(now),
      last_activity_(now) {
    if (!request_.script.refuse) next_time_ = time_of_next();
}

EchoCall::EchoCall(std::string reason, HttpHandler& handler, TimePoint now)
    : handler_(handler), started_(now), next_time_(now), last_activity_(now) {
    result_.outcome = HttpOutcome::invalid_request;
    result_.message = std::move(reason);
}

bool EchoCall::is_error() const noexcept {
    const int status = request_.script.status.value_or(status_ok);
    return status < 200 || status >= 300;
}

std::size_t EchoCall::tokens_sent() const noexcept {
    const std::size_t all = request_.token_ends.size();
    return std::min(all, request_.script.truncate_after.value_or(all));
}

std::size_t EchoCall::frame_count() const noexcept {
    const bool is_cut = request_.script.truncate_after.has_value();
    if (request_.script.hang && !(is_cut && is_framed_by_token())) return 0;
    if (!is_framed_by_token()) return 1;
    return 1 + tokens_sent() + (is_cut ? 0 : 1);
}

TimePoint EchoCall::token_time(std::size_t index) const {
    const TimePoint first = later(started_, request_.script.latency);
    const double rate = request_.script.tokens_per_second;
    if (rate <= 0 || index == 0) return first;
    constexpr double longest = 1e9;  // seconds: "never", and short of an overflow
    const double seconds = static_cast<double>(index) / rate;
    if (seconds > longest) return never;
    return later(first, std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

TimePoint EchoCall::frame_time(std::size_t index) const {
    const std::size_t tokens = tokens_sent();
    if (is_error()) return token_time(0);
    const std::size_t last = tokens == 0 ? 0 : tokens - 1;
    if (!request_.stream) return token_time(last);
    return token_time(index == 0 ? 0 : std::min(index - 1, last));
}

TimePoint EchoCall::deadline() const {
    const TimePoint total = later(started_, total_timeout_);
    return head_sent_ ? std::min(total, later(last_activity_, idle_timeout_)) : total;
}

TimePoint EchoCall::time_of_next() const {
    const TimePoint limit = deadline();
    return next_frame_ < frame_count() ? std::min(limit, frame_time(next_frame_)) : limit;
}

bool EchoCall::end(HttpOutcome outcome, const char* message) {
    result_.outcome = outcome;
    result_.message = message;
    return false;
}

bool EchoCall::play(TimePoint now) {
    if (result_.outcome == HttpOutcome::invalid_request) return false;
    if (request_.script.refuse) return end(HttpOutcome::connect_failed, "connection refused");
    result_.request_sent = true;
    for (next_time_ = time_of_next(); next_time_ <= now; next_time_ = time_of_next()) {
        if (next_frame_ == frame_count() || frame_time(next_frame_) > next_time_) {
            if (!flush()) return false;
            if (next_time_ == later(started_, total_timeout_))
                return end(HttpOutcome::total_timeout, "the response took too long");
            return end(HttpOutcome::idle_timeout, "the response fell silent");
        }
        if (!send_frame()) return false;
        if (next_frame_ == frame_count() && !request_.script.hang) return end_after_last_frame();
    }
    return flush();
}

bool EchoCall::end_after_last_frame() {
    if (!flush()) return false;
    if (!is_error() && request_.script.truncate_after)
        return end(HttpOutcome::broken, "the connection ended before the response did");
    return end(HttpOutcome::ok, "");
}

bool EchoCall::send_head() {
    head_sent_ = true;
    result_.status = request_.script.status.value_or(status_ok);
    HttpResponseHead head;
    head.status = result_.status;
    head.content_type = is_framed_by_token() ? "text/event-stream" : "application/json";
    if (is_error()) head.retry_after = request_.script.retry_after;
    return handler_.on_head(head) || end(HttpOutcome::aborted, "aborted");
}

bool EchoCall::send_frame() {
    last_activity_ = frame_time(next_frame_);
    if (!head_sent_ && !send_head()) return false;
    const std::size_t before = buffer_.size();
    append_frame(next_frame_++);
    const std::size_t added = buffer_.size() - before;
    if (added > max_bytes_ - bytes_) {
        buffer_.resize(before);
        return flush() && end(HttpOutcome::too_large, "the response is too large");
    }
    bytes_ += added;
    return buffer_.size() < flush_bytes || flush();
}

void EchoCall::append_frame(std::size_t index) {
    if (!is_framed_by_token())
        append_body();
    else if (index == 0)
        append_echo_opening(buffer_, request_);
    else if (index <= tokens_sent())
        append_echo_token(buffer_, request_, index - 1);
    else
        append_echo_closing(buffer_, request_);
}

void EchoCall::append_body() {
    const std::string body = is_error() ? echo_error_body(result_.status) : echo_document(request_);
    const bool is_cut = !is_error() && request_.script.truncate_after.has_value();
    buffer_.append(body, 0, is_cut ? body.size() / 2 : body.size());
}

bool EchoCall::flush() {
    if (buffer_.empty()) return true;
    const bool go_on = handler_.on_body(buffer_);
    buffer_.clear();
    return go_on || end(HttpOutcome::aborted, "aborted");
}

}  // namespace pgchat
