// The loop around curl_multi: sockets and timers in, finished calls out.
#include "core/http/curl_transport.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/http/curl_outcome.hpp"
#include "core/http/request_check.hpp"
#include "core/http/signal_block.hpp"

namespace pgchat {
namespace {

// Handles kept for reuse. Each holds some kilobytes, and making one takes microseconds.
constexpr std::size_t max_pooled_handles = 256;
// Rounds of one run(), so that a flood of fast answers cannot keep its caller from its other work.
constexpr int max_rounds = 8;

void initialize_libcurl() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) throw Error(ErrorCode::internal, "libcurl could not be initialized");
}

void check(bool ok) {
    if (!ok) throw Error(ErrorCode::internal, "libcurl could not be set up");
}

}  // namespace

CurlTransport::CurlTransport(const Clock& clock, CurlTransportOptions options)
    : clock_(clock), options_(std::move(options)), context_{options_, sockets_, deadlines_} {
    initialize_libcurl();
    share_.reset(curl_share_init());
    multi_.reset(curl_multi_init());
    check(share_ && multi_);
    check(curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK);
    CURLM* multi = multi_.get();
    check(curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlTransport::on_socket) == CURLM_OK);
    check(curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this) == CURLM_OK);
    check(curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlTransport::on_timer) == CURLM_OK);
    check(curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this) == CURLM_OK);
    check(curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX)) == CURLM_OK);
    check(curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, options_.max_kept_connections) == CURLM_OK);
    context_.share = share_.get();
    context_.now = clock_.now();
}

CurlTransport::~CurlTransport() {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
        if (slots_[slot].active) end(slot);
    slots_.clear();
}

// Low half: the slot, counted from 1; 0 for refused requests. High half: how often the slot was used, or a count.
Transport::Id CurlTransport::start(HttpRequest request, HttpHandler& handler) {
    if (const char* reason = reason_to_refuse(request))
        return refuse(handler, {HttpOutcome::invalid_request, 0, false, reason});
    const std::uint32_t slot = take_slot();
    CurlCall& call = *slots_[slot].call;
    try {
        call.begin(std::move(request), handler, clock_.now());
        deadlines_.set(slot, call.deadline());
        if (curl_multi_add_handle(multi_.get(), call.easy()) != CURLM_OK) throw std::bad_alloc();
    } catch (const std::exception& error) {
        end(slot);
        return refuse(handler, {HttpOutcome::invalid_request, 0, false, error.what()});
    }
    return Id{slots_[slot].generation} << 32 | (slot + 1);
}

Transport::Id CurlTransport::refuse(HttpHandler& handler, HttpResult result) {
    const Id id = Id{++refusals_} << 32;
    refused_.push_back({id, &handler, std::move(result)});
    return id;
}

std::uint32_t CurlTransport::take_slot() {
    std::vector<std::uint32_t>& source = pooled_slots_.empty() ? free_slots_ : pooled_slots_;
    std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
    if (source.empty()) {
        slots_.emplace_back();
        free_slots_.reserve(slots_.size());
        pooled_slots_.reserve(std::min(slots_.size(), max_pooled_handles));
        free_slots_.push_back(slot);
    }
    slot = source.back();
    if (!slots_[slot].call) slots_[slot].call = std::make_unique<CurlCall>(context_, slot);
    source.pop_back();
    slots_[slot].active = true;
    ++slots_[slot].generation;
    ++in_flight_;
    return slot;
}

void CurlTransport::end(std::uint32_t slot) noexcept {
    Slot& ended = slots_[slot];
    curl_multi_remove_handle(multi_.get(), ended.call->easy());
    deadlines_.remove(slot);
    ended.call->release();
    ended.active = false;
    --in_flight_;
    if (pooled_slots_.size() < max_pooled_handles) {
        pooled_slots_.push_back(slot);
    } else {
        ended.call.reset();
        free_slots_.push_back(slot);
    }
}

void CurlTransport::finish(std::uint32_t slot, const HttpResult& result) {
    HttpHandler& handler = slots_[slot].call->handler();
    end(slot);
    handler.on_finished(result);
}

void CurlTransport::cancel(Id id) noexcept {
    const auto number = static_cast<std::uint32_t>(id);
    if (number == 0) {
        std::erase_if(refused_, [&](const Refused& refused) { return refused.id == id; });
        return;
    }
    const std::uint32_t slot = number - 1;
    if (slot < slots_.size() && slots_[slot].active && slots_[slot].generation == id >> 32) end(slot);
}

void CurlTransport::run() {
    for (int round = 0; round < max_rounds; ++round) {
        context_.now = clock_.now();
        const bool more = drive();
        tell_completed();
        if (!more && !timer_is_due()) break;
    }
    tell_refused();
    tell_expired();
}

// Hands libcurl what is ready. Returns whether more may be.
bool CurlTransport::drive() {
    const SignalBlock no_signals;
    int running = 0;
    const auto ready = sockets_.ready();
    for (const epoll_event& event : ready) {
        // Errors are found by libcurl itself when it reads or writes.
        const bool failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
        const int events = ((event.events & EPOLLIN) != 0 || failed ? CURL_CSELECT_IN : 0) |
                           ((event.events & EPOLLOUT) != 0 || failed ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi_.get(), event.data.fd, events, &running);
    }
    if (timer_is_due()) {
        timer_.reset();
        curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    }
    return ready.size() == SocketPoll::batch_size;
}

void CurlTransport::tell_completed() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;
        CurlCall* call = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        finish(call->slot(), call->result_of(code));
    }
}

void CurlTransport::tell_refused() {
    // Not those that are refused meanwhile: a handler that starts the same request again would never let go.
    for (std::size_t count = refused_.size(); count > 0 && !refused_.empty(); --count) {
        const Refused refused = std::move(refused_.front());
        refused_.pop_front();
        refused.handler->on_finished(refused.result);
    }
}

void CurlTransport::tell_expired() {
    for (std::size_t count = in_flight_; count > 0; --count) {
        const auto first = deadlines_.first();
        if (!first || first->time > context_.now) return;
        CurlCall& call = *slots_[first->slot].call;
        if (const TimePoint deadline = call.deadline(); deadline > context_.now)
            deadlines_.set(first->slot, deadline);
        else
            finish(first->slot, call.result_of_timeout());
    }
}

std::optional<TimePoint> CurlTransport::next_deadline() const {
    if (!refused_.empty()) return context_.now;
    std::optional<TimePoint> next = timer_;
    if (const auto first = deadlines_.first(); first && (!next || first->time < *next)) next = first->time;
    return next;
}

// A socket that epoll will not take stays silent, and its call ends at its deadline.
int CurlTransport::on_socket(CURL*, curl_socket_t socket, int what, void* transport, void*) noexcept {
    std::uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
    static_cast<CurlTransport*>(transport)->sockets_.watch(socket, events);
    return 0;
}

int CurlTransport::on_timer(CURLM*, long timeout_ms, void* transport) noexcept {
    auto& self = *static_cast<CurlTransport*>(transport);
    if (timeout_ms < 0)
        self.timer_.reset();
    else if (timeout_ms == 0)
        self.timer_ = self.context_.now;  // already due, for the present run() too
    else
        self.timer_ = self.clock_.now() + Milliseconds(timeout_ms);
    return 0;
}

}  // namespace pgchat
