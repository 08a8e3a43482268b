// Moves bytes between the socket and the exchange, with the pauses a scenario asks for.
#include "connection.hpp"

#include <sys/epoll.h>

#include <algorithm>

namespace mock {
namespace {

constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kMaxPipelined = 300 * 1024 * 1024;
constexpr Nanos kSegmentPause = 20'000'000;  // between the two halves of a split character

}  // namespace

Connection::Connection(int fd, SSL_CTX* tls, Router& router, Ledger& ledger, TimerHeap& timers, bool deaf)
    : channel_(fd, tls), router_(router), ledger_(ledger), timers_(timers), deaf_(deaf) {
    ledger_.connected();
}

Connection::~Connection() {
    timers_.cancel(*this);
}

void Connection::on_events(uint32_t events) {
    if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0 && deaf_) return close(true);
    if ((events & EPOLLOUT) != 0) blocked_ = false;
    if (!deaf_ && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_input();
    if (!closed_) pump(monotonic_now());
}

void Connection::on_timer(Nanos now) {
    pump(now);
}

void Connection::read_input() {
    static thread_local char buffer[kReadSize];
    for (;;) {
        const ssize_t count = channel_.read(buffer, sizeof buffer);
        if (count == Channel::kAgain) return;
        if (count <= 0) return close(true);
        in_.append(buffer, static_cast<size_t>(count));
        if (in_.size() > kMaxPipelined) return close(false);
        // A short read of a plain socket means that it is empty (epoll(7)).
        if (static_cast<size_t>(count) < sizeof buffer && !channel_.is_tls()) return;
    }
}

void Connection::pump(Nanos now) {
    while (!closed_ && (exchange_ || begin_request(now)) && drive(now)) {
    }
}

// Starts on the next request of the input; false where there is none yet.
bool Connection::begin_request(Nanos now) {
    if (in_.empty()) return false;
    size_t used = 0;
    const ParseResult result = parse_request(in_, request_, used);
    if (result == ParseResult::kInvalid) {
        refuse_malformed();
        return false;
    }
    if (result == ParseResult::kIncomplete) {
        if (request_.wants_continue && !continued_) {
            out_ += "HTTP/1.1 100 Continue\r\n\r\n";
            continued_ = true;
            flush(now);
        }
        return false;
    }
    continued_ = false;
    exchange_.emplace(router_.route(request_), ledger_, now);
    in_.erase(0, used);
    return true;
}

void Connection::refuse_malformed() {
    out_ += "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    flush(monotonic_now());
    close(false);
}

// Brings the exchange up to `now`; true when it has ended and the connection is free for the next one.
bool Connection::drive(Nanos now) {
    const Nanos next = exchange_->advance(now, out_);
    if (const auto split = exchange_->take_split()) split_ = split;
    flush(now);
    if (closed_) return false;
    const Exchange::End end = exchange_->end();
    if (end == Exchange::End::kOpen || !flushed()) {
        deaf_ = deaf_ || exchange_->hangs_deaf();
        arm(now, next);
        return false;
    }
    exchange_->settle(false);
    exchange_.reset();
    timers_.cancel(*this);
    if (end == Exchange::End::kKeepAlive) return true;
    if (end == Exchange::End::kReset) channel_.reset_on_close();
    close(false);
    return false;
}

void Connection::flush(Nanos now) {
    const Nanos per_byte = exchange_ ? from_ms(exchange_->slow_bytes_ms()) : 0;
    while (!flushed() && !blocked_ && now >= resume_at_) {
        size_t end = per_byte > 0 ? sent_ + 1 : out_.size();
        if (split_ && *split_ > sent_) end = std::min(end, *split_);
        const ssize_t count = channel_.write(out_.data() + sent_, end - sent_);
        if (count == Channel::kFailed) return close(true);
        if (count == Channel::kAgain) {
            blocked_ = true;
            break;
        }
        sent_ += static_cast<size_t>(count);
        if (per_byte > 0) resume_at_ = std::max(resume_at_ + per_byte, now + per_byte / 2);
        if (split_ && sent_ == *split_) {
            split_.reset();
            resume_at_ = now + kSegmentPause;
        }
    }
    if (!flushed()) return;
    out_.clear();
    sent_ = 0;
}

// Waits for the next token or for the end of a pause, unless only the socket can make progress possible.
void Connection::arm(Nanos now, Nanos next) {
    if (!flushed() && !blocked_) next = std::min(next, resume_at_);
    if (blocked_ && next <= now) next = kNever;
    // Not before the next round, so that a stream that always has more leaves the others their turn.
    timers_.set(*this, std::max(next, now + 1));
}

void Connection::close(bool by_client) {
    if (closed_) return;
    closed_ = true;
    timers_.cancel(*this);
    if (exchange_) exchange_->settle(by_client);
    exchange_.reset();
}

}  // namespace mock
