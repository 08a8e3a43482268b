// The seam between the engine and the network: start a request, be told what arrives, cancel it.
//
// Everything is non-blocking and single-threaded. The owner waits until poll_fd() is readable or next_deadline()
// has come, then calls run(), from which all handlers are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace pgchat {

struct HttpRequest {
    std::string url;
    std::vector<std::string> headers;      // "Name: value"; CR, LF and NUL are refused by start()
    std::string body;                      // POST when not empty, else GET
    Milliseconds connect_timeout{10'000};  // name look-up, TCP and TLS
    Milliseconds idle_timeout{60'000};     // longest silence once the response has begun
    Milliseconds total_timeout{600'000};
    std::size_t max_response_bytes = 64u << 20;  // of the decoded body
    // How long what comes of a body may rest unread, once it has begun and while it comes in small pieces.
    Milliseconds read_rest{0};
    bool trusted_host = false;  // plain http and private addresses are allowed
};

enum class HttpOutcome {
    ok,               // a whole response arrived, whatever its status
    invalid_request,  // refused before anything was done: URL, header
    address_refused,  // the host is, or resolves to, an address that policy forbids
    resolve_failed,
    connect_failed,
    tls_failed,
    connect_timeout,
    idle_timeout,
    total_timeout,
    broken,          // the connection ended before the response did
    protocol_error,  // what came back is not HTTP
    too_large,       // max_response_bytes was reached
    aborted,         // a handler returned false
};

struct HttpResult {
    HttpOutcome outcome = HttpOutcome::ok;
    int status = 0;             // 0 where no response head arrived
    bool request_sent = false;  // true once any byte of the request may have reached the server
    std::string message;        // for people; empty when ok; never holds a header value
};

struct HttpResponseHead {
    int status = 0;
    std::string content_type;  // as sent, lower-cased
    std::string retry_after;   // the header's value, empty where there is none
};

// What a request's owner is told. on_head and on_body are called from within I/O: they may not call start() or
// cancel(), and must not throw; on_finished may do both, is called exactly once, last, and not after cancel().
class HttpHandler {
public:
    virtual ~HttpHandler() = default;
    virtual bool on_head(const HttpResponseHead& head) noexcept = 0;  // false aborts
    virtual bool on_body(std::string_view bytes) noexcept = 0;        // false aborts
    virtual void on_finished(const HttpResult& result) noexcept = 0;
};

class Transport {
public:
    using Id = std::uint64_t;  // never 0

    virtual ~Transport() = default;
    // Begins the request. A request that is refused still ends through on_finished, from the next run().
    virtual Id start(HttpRequest request, HttpHandler& handler) = 0;
    // Ends the request without telling its handler; closes its connection where the protocol needs that.
    virtual void cancel(Id id) noexcept = 0;
    // Does all that is ready, without waiting.
    virtual void run() = 0;
    // When run() must be called again even if poll_fd() stays silent.
    virtual std::optional<TimePoint> next_deadline() const = 0;
    // A descriptor that is readable when there is something to do; -1 where only time matters.
    virtual int poll_fd() const noexcept { return -1; }
};

}  // namespace pgchat
