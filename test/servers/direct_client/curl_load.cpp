// The same load through libcurl's multi interface over epoll: what an engine built on libcurl can reach.
#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <stdexcept>

#include "load.hpp"

namespace direct {
namespace {

struct Call {
    CURL* easy = nullptr;
    int64_t begun = 0;
    Measure* measure = nullptr;
};

struct Loop {
    CURLM* multi = nullptr;
    int epoll = -1;
    int64_t timer_at = -1;  // monotonic ns, -1 for none
};

size_t on_body(char* bytes, size_t, size_t size, void* call) {
    static_cast<Call*>(call)->measure->received({bytes, size});
    return size;
}

int on_socket(CURL*, curl_socket_t socket, int what, void* data, void* known) {
    auto* loop = static_cast<Loop*>(data);
    epoll_event event{};
    event.data.fd = socket;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, socket, nullptr);
        return 0;
    }
    epoll_ctl(loop->epoll, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
    curl_multi_assign(loop->multi, socket, loop);
    return 0;
}

int on_timer(CURLM*, long ms, void* data) {
    static_cast<Loop*>(data)->timer_at = ms < 0 ? -1 : nanos(CLOCK_MONOTONIC) + ms * 1'000'000;
    return 0;
}

void begin(Loop& loop, Call& call) {
    if (!call.measure->begin_call()) return;
    call.begun = nanos(CLOCK_MONOTONIC);
    curl_multi_add_handle(loop.multi, call.easy);
}

void take_finished(Loop& loop) {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(loop.multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode result = message->data.result;
        Call* call = nullptr;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(loop.multi, call->easy);
        call->measure->end_call(call->begun, result == CURLE_OK && status == 200);
        begin(loop, *call);
    }
}

void prepare(Call& call, const Load& load, const std::string& body, curl_slist* headers, Measure& measure) {
    call.measure = &measure;
    call.easy = curl_easy_init();
    const std::string url = "http://" + load.host + ":" + std::to_string(load.port) + load.path;
    curl_easy_setopt(call.easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(call.easy, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(call.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(call.easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(call.easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(call.easy, CURLOPT_WRITEDATA, &call);
    curl_easy_setopt(call.easy, CURLOPT_PRIVATE, &call);
    curl_easy_setopt(call.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(call.easy, CURLOPT_PROXY, "");
}

void turn(Loop& loop) {
    const int64_t now = nanos(CLOCK_MONOTONIC);
    const int wait_ms =
        loop.timer_at < 0 ? 1000
                          : static_cast<int>(std::clamp<int64_t>((loop.timer_at - now + 999'999) / 1'000'000, 0, 1000));
    epoll_event events[512];
    const int count = epoll_wait(loop.epoll, events, std::size(events), wait_ms);
    if (count < 0 && errno != EINTR) throw std::runtime_error("epoll_wait failed");
    int running = 0;
    for (int i = 0; i < count; ++i) {
        const int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                         (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                         (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(loop.multi, events[i].data.fd, what, &running);
    }
    if (loop.timer_at >= 0 && nanos(CLOCK_MONOTONIC) >= loop.timer_at) {
        loop.timer_at = -1;
        curl_multi_socket_action(loop.multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    take_finished(loop);
}

}  // namespace

void run_curl(const Load& load, Measure& measure) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Loop loop;
    loop.multi = curl_multi_init();
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(loop.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(loop.multi, CURLMOPT_SOCKETDATA, &loop);
    curl_multi_setopt(loop.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(loop.multi, CURLMOPT_TIMERDATA, &loop);
    curl_multi_setopt(loop.multi, CURLMOPT_MAXCONNECTS, static_cast<long>(load.clients));
    const std::string body = load.body();
    curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
    if (!load.key.empty()) headers = curl_slist_append(headers, ("Authorization: Bearer " + load.key).c_str());
    std::deque<Call> calls(static_cast<size_t>(load.clients));
    for (Call& call : calls) prepare(call, load, body, headers, measure);
    for (Call& call : calls) begin(loop, call);
    while (!measure.all_done()) turn(loop);
    for (const Call& call : calls) curl_easy_cleanup(call.easy);
    curl_multi_cleanup(loop.multi);
    curl_slist_free_all(headers);
    close(loop.epoll);
}

}  // namespace direct
