// One of libcurl's multi handles: a cache of connections, and the sockets and the timer it waits for.
//
// libcurl looks through all connections of a host when a request starts, and through all there are when one ends, so a
// call among 5,000 costs ten times one among 8. The transport therefore spreads a crowd over several of these.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "core/clock.hpp"
#include "core/http/socket_poll.hpp"

namespace pgchat {

class CurlShard {
public:
    // `number` marks the shard's sockets in `sockets`; `kept_connections` idle ones are kept. Clock and sockets outlive
    // the shard. Throws Error: internal when libcurl cannot be set up.
    CurlShard(const Clock& clock, SocketPoll& sockets, std::uint32_t number, long kept_connections);
    CurlShard(const CurlShard&) = delete;
    CurlShard& operator=(const CurlShard&) = delete;

    // Takes a request in; false when out of memory. And out, in whichever state.
    bool add(CURL* easy) noexcept;
    void remove(CURL* easy) noexcept;
    std::size_t in_flight() const noexcept { return in_flight_; }
    // Since when there has been nothing in flight.
    TimePoint idle_since() const noexcept { return idle_since_; }

    // Handles events (epoll's) of a socket, and what libcurl wanted to do by `now`.
    void act(int socket, std::uint32_t events) noexcept;
    void act_on_timer(TimePoint now) noexcept;
    std::optional<TimePoint> timer() const noexcept { return timer_; }

    // The next request that has ended (still to be removed) and how; null when there is none.
    CURL* next_ended(CURLcode& code) noexcept;

private:
    struct MultiFree {
        void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
    };

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* shard, void* unused) noexcept;
    static int on_timer(CURLM* multi, long timeout_ms, void* shard) noexcept;

    const Clock& clock_;
    SocketPoll& sockets_;
    const std::uint32_t number_;
    std::optional<TimePoint> timer_;
    std::size_t in_flight_ = 0;
    TimePoint idle_since_;
    std::unique_ptr<CURLM, MultiFree> multi_;
};

}  // namespace pgchat
