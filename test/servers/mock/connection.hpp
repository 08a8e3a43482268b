// One client's connection: requests in, replies out, one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "channel.hpp"
#include "exchange.hpp"
#include "http_request.hpp"
#include "router.hpp"
#include "timers.hpp"

namespace mock {

class Connection : public Timer {
public:
    // `deaf`: the connection is accepted and never read.
    Connection(int fd, SSL_CTX* tls, Router& router, Ledger& ledger, TimerHeap& timers, bool deaf);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Handles epoll events (edge-triggered).
    void on_events(uint32_t events);
    // The deadline has come.
    void on_timer(Nanos now);
    // True once it is to be destroyed; no further events may be given to it then.
    bool closed() const { return closed_; }
    int fd() const { return channel_.fd(); }

private:
    void read_input();
    void pump(Nanos now);
    bool begin_request(Nanos now);
    void refuse_malformed();
    bool drive(Nanos now);
    void flush(Nanos now);
    bool flushed() const { return sent_ == out_.size(); }
    void arm(Nanos now, Nanos next);
    void close(bool by_client);

    Channel channel_;
    Router& router_;
    Ledger& ledger_;
    TimerHeap& timers_;
    HttpRequest request_;
    std::string in_;
    std::string out_;
    size_t sent_ = 0;  // of out_
    std::optional<Exchange> exchange_;
    std::optional<size_t> split_;  // offset in out_ before which a segment must end
    Nanos resume_at_ = 0;          // no byte may be written before this time
    bool blocked_ = false;         // the socket takes no more
    bool continued_ = false;       // 100 Continue was sent for the request being read
    bool deaf_;
    bool closed_ = false;
};

}  // namespace mock
