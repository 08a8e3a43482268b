// curl_multi's callbacks and actions.
#include "core/http/curl_shard.hpp"

#include "core/error.hpp"
#include "core/http/curl_call.hpp"

namespace pgchat {
namespace {

// What this side allows on one HTTP/2 connection; servers allow less.
constexpr long max_streams = 1000;

template <typename Value>
void set_multi(CURLM* multi, CURLMoption option, Value value) {
    if (curl_multi_setopt(multi, option, value) != CURLM_OK)
        throw Error(ErrorCode::internal, "libcurl refused an option");
}

}  // namespace

CurlShard::CurlShard(const Clock& clock, SocketPoll& sockets, std::uint32_t number, long kept_connections)
    : clock_(clock), sockets_(sockets), number_(number), idle_since_(clock.now()), multi_(curl_multi_init()) {
    if (!multi_) throw Error(ErrorCode::internal, "out of memory");
    CURLM* multi = multi_.get();
    set_multi(multi, CURLMOPT_SOCKETFUNCTION, &CurlShard::on_socket);
    set_multi(multi, CURLMOPT_SOCKETDATA, this);
    set_multi(multi, CURLMOPT_TIMERFUNCTION, &CurlShard::on_timer);
    set_multi(multi, CURLMOPT_TIMERDATA, this);
    set_multi(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    set_multi(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, max_streams);
    set_multi(multi, CURLMOPT_MAXCONNECTS, kept_connections);
}

bool CurlShard::add(CURL* easy) noexcept {
    if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) return false;
    ++in_flight_;
    return true;
}

void CurlShard::remove(CURL* easy) noexcept {
    curl_multi_remove_handle(multi_.get(), easy);
    if (--in_flight_ == 0) idle_since_ = clock_.now();
}

void CurlShard::act(int socket, std::uint32_t events) noexcept {
    // Errors are found by libcurl itself when it reads or writes.
    const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    const int wanted = ((events & EPOLLIN) != 0 || failed ? CURL_CSELECT_IN : 0) |
                       ((events & EPOLLOUT) != 0 || failed ? CURL_CSELECT_OUT : 0);
    int running = 0;
    curl_multi_socket_action(multi_.get(), socket, wanted, &running);
}

void CurlShard::act_on_timer(TimePoint now) noexcept {
    if (!timer_ || *timer_ > now) return;
    timer_.reset();
    int running = 0;
    curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

CURL* CurlShard::next_ended(CURLcode& code) noexcept {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        code = message->data.result;
        return message->easy_handle;
    }
    return nullptr;
}

// A socket that epoll will not take stays silent, and its call ends at its deadline.
int CurlShard::on_socket(CURL* easy, curl_socket_t socket, int what, void* shard, void*) noexcept {
    std::uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
    const auto& self = *static_cast<CurlShard*>(shard);
    self.sockets_.watch(socket, events, self.number_);
    CurlCall* call = nullptr;
    if (events != 0 && curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call) == CURLE_OK && call != nullptr)
        call->use_socket(socket);
    return 0;
}

int CurlShard::on_timer(CURLM*, long timeout_ms, void* shard) noexcept {
    auto& self = *static_cast<CurlShard*>(shard);
    if (timeout_ms < 0)
        self.timer_.reset();
    else if (timeout_ms == 0)
        self.timer_ = TimePoint{};  // long due, in the present run() too
    else
        self.timer_ = self.clock_.now() + Milliseconds(timeout_ms);
    return 0;
}

}  // namespace pgchat
