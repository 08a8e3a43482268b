// The options of a call, and its course through libcurl's callbacks.
#include "core/http/curl_call.hpp"

#include <unistd.h>

#include <algorithm>

#include "core/crypto/secret_memory.hpp"
#include "core/error.hpp"
#include "core/http/address_policy.hpp"
#include "core/http/curl_outcome.hpp"

namespace pgchat {
namespace {

// Small, because each open stream has one; a chunk of a stream is smaller still.
constexpr long receive_buffer_bytes = 4096;
constexpr long send_buffer_bytes = 16384;  // libcurl's least; only TLS without HTTP/2 holds one
constexpr Milliseconds longest_timeout = std::chrono::hours(24 * 365);

Milliseconds bounded(Milliseconds timeout) noexcept {
    return std::clamp(timeout, Milliseconds(0), longest_timeout);
}

bool is_https(const HttpRequest& request) noexcept {
    return request.url[4] == 's' || request.url[4] == 'S';
}

// Sets an option that libcurl can refuse only for want of memory or because it was built without the feature.
template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
    if (curl_easy_setopt(easy, option, value) != CURLE_OK)
        throw Error(ErrorCode::internal, "libcurl refused an option");
}

// Ends every list of headers: bodies are sent at once, without asking.
curl_slist no_expect{const_cast<char*>("Expect:"), nullptr};

}  // namespace

CurlCall::CurlCall(CurlCallContext& context, std::uint32_t slot)
    : context_(context), slot_(slot), easy_(curl_easy_init()) {
    if (!easy_) throw Error(ErrorCode::internal, "out of memory");
    set_constant_options();
    set_connection_options();
}

void CurlCall::set_constant_options() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_PRIVATE, this);
    set(easy, CURLOPT_ERRORBUFFER, error_.data());
    set(easy, CURLOPT_HEADERFUNCTION, &CurlCall::on_header);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, &CurlCall::on_write);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_PREREQFUNCTION, &CurlCall::on_before_request);
    set(easy, CURLOPT_PREREQDATA, this);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_NOPROGRESS, 1L);
    set(easy, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
    set(easy, CURLOPT_UPLOAD_BUFFERSIZE, send_buffer_bytes);
    set(easy, CURLOPT_USERAGENT, context_.options.user_agent.c_str());
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
}

void CurlCall::set_connection_options() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlCall::on_open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, this);
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlCall::on_close_socket);
    set(easy, CURLOPT_CLOSESOCKETDATA, &context_.sockets);  // a connection outlives the call that opened it
    set(easy, CURLOPT_PROXY, "");                           // overrides the environment
    set(easy, CURLOPT_NOPROXY, "*");
    set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // a name look-up that hangs is left behind
    set(easy, CURLOPT_TCP_NODELAY, 1L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(context_.options.max_connection_idle.count()));
    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy, CURLOPT_SHARE, context_.share);
    if (!context_.options.ca_file.empty()) set(easy, CURLOPT_CAINFO, context_.options.ca_file.c_str());
}

void CurlCall::link_headers() {
    header_nodes_.resize(request_.headers.size());
    for (std::size_t i = 0; i < header_nodes_.size(); ++i)
        header_nodes_[i] = {request_.headers[i].data(),
                            i + 1 < header_nodes_.size() ? &header_nodes_[i + 1] : &no_expect};
    set(easy(), CURLOPT_HTTPHEADER, header_nodes_.empty() ? &no_expect : header_nodes_.data());
}

void CurlCall::set_body() {
    if (request_.body.empty()) {
        set(easy(), CURLOPT_HTTPGET, 1L);
        return;
    }
    set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(easy(), CURLOPT_POSTFIELDS, request_.body.data());
}

void CurlCall::begin(HttpRequest request, HttpHandler& handler, TimePoint now) {
    request_ = std::move(request);
    request_.connect_timeout = bounded(request_.connect_timeout);
    request_.idle_timeout = bounded(request_.idle_timeout);
    request_.total_timeout = bounded(request_.total_timeout);
    handler_ = &handler;
    head_.reset();
    phase_ = Phase::connecting;
    started_ = last_byte_ = now;
    received_ = 0;
    use_ = {};
    stopped_ = HttpOutcome::ok;
    sent_ = address_refused_ = false;
    error_[0] = '\0';

    set(easy(), CURLOPT_URL, request_.url.c_str());
    // Only so that libcurl divides it among the host's addresses; the deadline itself is kept by the transport.
    const auto connect_timeout = std::min<Milliseconds::rep>(request_.connect_timeout.count(), INT32_MAX);
    set(easy(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<Milliseconds::rep>(connect_timeout, 1)));
    set(easy(), CURLOPT_PIPEWAIT, is_https(request_) ? 1L : 0L);
    link_headers();
    set_body();
}

void CurlCall::use_socket(int socket) noexcept {
    if (use_.fd == socket) return;
    context_.sockets.end_use(use_);
    use_ = context_.sockets.begin_use(socket);
}

void CurlCall::leave() noexcept {
    context_.sockets.end_use(use_);
}

void CurlCall::release() noexcept {
    handler_ = nullptr;
    // One of these holds the provider's key.
    secure_zero(request_.url.data(), request_.url.size());
    for (std::string& header : request_.headers) secure_zero(header.data(), header.size());
    // Moved out first: a string that is assigned keeps its memory, and a handle waits long for its next request.
    { const HttpRequest ended = std::move(request_); }
    request_ = HttpRequest{};
}

TimePoint CurlCall::deadline() const noexcept {
    const TimePoint last = started_ + request_.total_timeout;
    switch (phase_) {
        case Phase::connecting:
            return std::min(last, started_ + request_.connect_timeout);
        case Phase::waiting:
            return last;
        case Phase::reading:
            return std::min(last, last_byte_ + request_.idle_timeout);
    }
    return last;
}

HttpResult CurlCall::result(HttpOutcome outcome, const char* message) const {
    const bool has_head = head_.state() != HeadReader::State::reading;
    return HttpResult{outcome, has_head ? head_.head().status : 0, sent_, message};
}

HttpResult CurlCall::result_of(CURLcode code) {
    if (stopped_ != HttpOutcome::ok) return result(stopped_, describe(stopped_));
    HttpOutcome outcome = outcome_of(code, sent_);
    if (outcome == HttpOutcome::connect_failed && address_refused_) outcome = HttpOutcome::address_refused;
    if (outcome == HttpOutcome::ok) return result(outcome, "");
    if (outcome == HttpOutcome::address_refused || error_[0] == '\0') return result(outcome, describe(outcome));
    return result(outcome, error_.data());
}

HttpResult CurlCall::result_of_timeout() {
    HttpOutcome outcome = HttpOutcome::total_timeout;
    if (deadline() < started_ + request_.total_timeout)
        outcome = phase_ == Phase::connecting ? HttpOutcome::connect_timeout : HttpOutcome::idle_timeout;
    return result(outcome, describe(outcome));
}

std::size_t CurlCall::take_header_line(std::string_view line) {
    const HeadReader::State before = head_.state();
    const HeadReader::State state = head_.feed(line);
    if (state == HeadReader::State::too_large || state == HeadReader::State::encoded) {
        stop(HttpOutcome::protocol_error);
        return 0;
    }
    if (state == HeadReader::State::complete && before == HeadReader::State::reading) {
        phase_ = Phase::reading;
        last_byte_ = context_.now;
        context_.deadlines.set(slot_, deadline());
        if (!handler_->on_head(head_.head())) {
            stop(HttpOutcome::aborted);
            return 0;
        }
    }
    return line.size();
}

std::size_t CurlCall::take_body(std::string_view bytes) noexcept {
    last_byte_ = context_.now;
    if (bytes.size() > request_.max_response_bytes - received_) {
        stop(HttpOutcome::too_large);
        return 0;
    }
    if (received_ == 0) context_.sockets.read_on(use_, request_.read_rest);
    received_ += bytes.size();
    context_.read += bytes.size();
    if (!handler_->on_body(bytes)) {
        stop(HttpOutcome::aborted);
        return 0;
    }
    return bytes.size();
}

curl_socket_t CurlCall::open_socket(const curl_sockaddr& address) {
    if (!request_.trusted_host && !address_is_public(&address.addr)) {
        address_refused_ = true;
        return CURL_SOCKET_BAD;
    }
    const int fd = socket(address.family, address.socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.protocol);
    if (fd >= 0) context_.sockets.adopt(fd);
    return fd;
}

// Of a connection that others use already libcurl tells no more.
void CurlCall::use_shared_socket() noexcept {
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(easy(), CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD)
        use_socket(socket);
}

// Called when there is a connection, before each attempt to send the request on it.
int CurlCall::before_request(const char* address) noexcept {
    // A kept connection may have been opened while the host was trusted.
    const auto ip = parse_ip_address(address);
    if (!request_.trusted_host && !(ip && address_is_public(*ip))) {
        stop(HttpOutcome::address_refused);
        return CURL_PREREQFUNC_ABORT;
    }
    // A second attempt, because the kept connection of the first one ended: only if the first cannot have sent a byte
    // (libcurl does not count what TLS took), or the request is one that may be repeated.
    long sent_bytes = 0;
    curl_easy_getinfo(easy(), CURLINFO_REQUEST_SIZE, &sent_bytes);
    if (sent_ && !request_.body.empty() && (sent_bytes > 0 || is_https(request_))) {
        stop(HttpOutcome::broken);
        return CURL_PREREQFUNC_ABORT;
    }
    sent_ = true;
    phase_ = Phase::waiting;
    if (use_.fd < 0) use_shared_socket();
    return CURL_PREREQFUNC_OK;
}

std::size_t CurlCall::on_header(char* data, std::size_t size, std::size_t count, void* call) noexcept {
    auto& self = *static_cast<CurlCall*>(call);
    try {
        return self.take_header_line({data, size * count});
    } catch (const std::bad_alloc&) {
        self.stop(HttpOutcome::broken);
        return 0;
    }
}

std::size_t CurlCall::on_write(char* data, std::size_t size, std::size_t count, void* call) noexcept {
    return static_cast<CurlCall*>(call)->take_body({data, size * count});
}

curl_socket_t CurlCall::on_open_socket(void* call, curlsocktype, curl_sockaddr* address) noexcept {
    return static_cast<CurlCall*>(call)->open_socket(*address);
}

int CurlCall::on_close_socket(void* sockets, curl_socket_t socket) noexcept {
    static_cast<SocketPoll*>(sockets)->close(socket);
    return 0;
}

int CurlCall::on_before_request(void* call, char* address, char*, int, int) noexcept {
    return static_cast<CurlCall*>(call)->before_request(address);
}

}  // namespace pgchat
