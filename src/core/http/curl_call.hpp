// One request on one libcurl handle: how the handle is set up, what libcurl's callbacks do, and how it all ended.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <vector>

#include "core/http/deadline_queue.hpp"
#include "core/http/head_reader.hpp"
#include "core/http/socket_poll.hpp"
#include "core/http/transport.hpp"

namespace pgchat {

struct CurlTransportOptions {
    long max_kept_connections = 5'000;  // idle ones beyond this are closed, oldest first
    // A kept connection that was idle for longer is not used again. Below the 60 s after which common load balancers
    // close, for a request that meets a closing connection is lost (see curl_transport.hpp).
    std::chrono::seconds max_connection_idle{55};
    std::string ca_file{};  // PEM; empty for the system's
    std::string user_agent = "pgchat";
};

// What all calls of a transport share; outlives them.
struct CurlCallContext {
    const CurlTransportOptions& options;
    SocketPoll& sockets;
    DeadlineQueue& deadlines;
    CURLSH* share = nullptr;  // TLS sessions and resolved names
    TimePoint now{};          // as of the present run(), so that a chunk costs no look at the clock
    std::size_t read = 0;     // bytes of bodies since the transport last looked
};

// Reused for one request after another: the constant options are set once.
class CurlCall {
public:
    // `slot` names the call in context.deadlines. Throws Error: internal when out of memory.
    CurlCall(CurlCallContext& context, std::uint32_t slot);
    CurlCall(const CurlCall&) = delete;
    CurlCall& operator=(const CurlCall&) = delete;

    // Takes a request that reason_to_refuse() let pass; the handle is then ready to be added. `now` starts its time.
    void begin(HttpRequest request, HttpHandler& handler, TimePoint now);
    // The socket that carries the call; several calls may share one.
    void use_socket(int socket) noexcept;
    // The call is over, and its socket free for another.
    void leave() noexcept;
    // Gives back what begin() took. The handle must have been removed from its multi handle.
    void release() noexcept;

    std::uint32_t slot() const noexcept { return slot_; }
    CURL* easy() const noexcept { return easy_.get(); }
    HttpHandler& handler() const noexcept { return *handler_; }

    // When the call has taken too long, as far as is known now; chunks move it without telling the queue.
    TimePoint deadline() const noexcept;
    // How it ended, told by libcurl or by the deadline having come.
    HttpResult result_of(CURLcode code);
    HttpResult result_of_timeout();

private:
    struct EasyFree {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };
    enum class Phase { connecting, waiting, reading };

    void set_constant_options();
    void set_connection_options();
    void set_body();
    void link_headers();
    void stop(HttpOutcome outcome) noexcept { stopped_ = outcome; }
    HttpResult result(HttpOutcome outcome, const char* message) const;

    std::size_t take_header_line(std::string_view line);
    std::size_t take_body(std::string_view bytes) noexcept;
    curl_socket_t open_socket(const curl_sockaddr& address);
    void use_shared_socket() noexcept;
    int before_request(const char* address) noexcept;

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* call) noexcept;
    static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* call) noexcept;
    static curl_socket_t on_open_socket(void* call, curlsocktype purpose, curl_sockaddr* address) noexcept;
    static int on_close_socket(void* sockets, curl_socket_t socket) noexcept;
    static int on_before_request(void* call, char* address, char* local_address, int port, int local_port) noexcept;

    CurlCallContext& context_;
    const std::uint32_t slot_;
    std::unique_ptr<CURL, EasyFree> easy_;
    HttpHandler* handler_ = nullptr;
    HttpRequest request_;
    std::vector<curl_slist> header_nodes_;
    HeadReader head_;
    Phase phase_ = Phase::connecting;
    TimePoint started_{};
    TimePoint last_byte_{};
    std::size_t received_ = 0;
    SocketUse use_;
    HttpOutcome stopped_ = HttpOutcome::ok;  // why a callback of ours ended the call
    bool sent_ = false;
    bool address_refused_ = false;
    std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace pgchat
