// The transport of production: any number of requests at once over libcurl, in one thread, on one descriptor.
//
// Needs libcurl 7.87 or later with a threaded resolver. What it guarantees beyond transport.hpp:
// - HTTP/1.1 with kept connections; over TLS also HTTP/2, where many requests share a connection.
// - No redirects, proxies, cookies, netrc, compression; https and http only. Certificates are always verified.
// - Unless HttpRequest::trusted_host is set, a connection is made, and a kept one used, only to public addresses.
// - A request with a body is never sent twice. libcurl (Curl_retry_request in its transfer.c) repeats any request by
//   itself when a kept connection ends before the first byte of an answer, though the server may have acted on it.
//   Such a repetition is stopped, and the call ends as `broken` with `request_sent`; it is let pass only where the
//   first attempt sent nothing. GET requests are repeated. To make the case rare, connections known to be closed are
//   not used (libcurl looks), nor those idle for longer than CurlTransportOptions::max_connection_idle.
// - Look-up threads that libcurl starts run with all signals blocked. on_head and on_body are called with signals
//   blocked too, on_finished is not.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/http/curl_call.hpp"
#include "core/http/curl_shard.hpp"

namespace pgchat {

class CurlTransport final : public Transport {
public:
    // Throws Error: internal when libcurl or epoll cannot be set up. The clock must outlive the transport.
    explicit CurlTransport(const Clock& clock, CurlTransportOptions options = {});
    // Ends all requests without telling their handlers.
    ~CurlTransport() override;

    Id start(HttpRequest request, HttpHandler& handler) override;
    void cancel(Id id) noexcept override;
    void run() override;
    std::optional<TimePoint> next_deadline() const override;
    int poll_fd() const noexcept override { return sockets_.fd(); }

    // Multiplies HttpRequest::read_rest of what rests from now on.
    void stretch_rests(double factor) noexcept { sockets_.stretch_rests(factor); }

    // Requests that have been started and have not ended.
    std::size_t in_flight() const noexcept { return in_flight_ + refused_.size(); }

private:
    struct Slot {
        std::unique_ptr<CurlCall> call;
        std::uint32_t generation = 0;
        std::uint32_t shard = 0;
        bool active = false;
    };
    struct Refused {
        Id id;
        HttpHandler* handler;
        HttpResult result;
    };
    struct ShareFree {
        void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
    };

    Id refuse(HttpHandler& handler, HttpResult result);
    std::uint32_t take_slot();
    std::uint32_t shard_with_room();
    void end(std::uint32_t slot) noexcept;
    void give_back(std::uint32_t slot) noexcept;
    void finish(std::uint32_t slot, const HttpResult& result);
    bool drive();
    bool timer_is_due() const noexcept;
    void drop_idle_shards() noexcept;
    void tell_refused();
    void tell_completed();
    void tell_expired();

    const Clock& clock_;
    const CurlTransportOptions options_;
    SocketPoll sockets_;
    DeadlineQueue deadlines_;
    std::unique_ptr<CURLSH, ShareFree> share_;
    std::vector<std::unique_ptr<CurlShard>> shards_;  // the first always exists, others may be null
    CurlCallContext context_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_slots_;    // without a handle
    std::vector<std::uint32_t> pooled_slots_;  // with a handle, ready for use
    std::deque<Refused> refused_;
    std::uint32_t refusals_ = 0;
    std::size_t in_flight_ = 0;
};

}  // namespace pgchat
