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
// Requests in flight on one shard before the next is used. The first shards fill first, so that connections are found
// again; each shard reads the certificates of the authorities anew, so there should not be many.
constexpr std::size_t shard_size = 512;
// How long one run() may go on with what keeps coming, so that a flood of answers cannot keep its caller from its other
// work: from new requests, and from handing on what has come.
constexpr Milliseconds longest_run{2};

// A read of so much was likely cut by libcurl's buffer (curl_call.cpp).
constexpr std::size_t full_read_bytes = 2048;

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
    check(share_ != nullptr);
    check(curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK);
    check(curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK);
    context_.share = share_.get();
    context_.now = clock_.now();
    shard_with_room();
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
        if (!shards_[slots_[slot].shard]->add(call.easy())) throw std::bad_alloc();
    } catch (const std::exception& error) {
        give_back(slot);
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
    slots_[slot].shard = shard_with_room();
    if (!slots_[slot].call) slots_[slot].call = std::make_unique<CurlCall>(context_, slot);
    source.pop_back();
    slots_[slot].active = true;
    ++slots_[slot].generation;
    ++in_flight_;
    return slot;
}

std::uint32_t CurlTransport::shard_with_room() {
    std::uint32_t number = 0;
    while (number < shards_.size() && shards_[number] && shards_[number]->in_flight() >= shard_size) ++number;
    if (number == shards_.size()) shards_.emplace_back();
    if (!shards_[number]) {
        const long others = static_cast<long>(number * shard_size);
        const long kept = std::clamp(options_.max_kept_connections - others, 1L, static_cast<long>(shard_size));
        shards_[number] = std::make_unique<CurlShard>(clock_, sockets_, number, kept);
    }
    return number;
}

void CurlTransport::end(std::uint32_t slot) noexcept {
    slots_[slot].call->leave();
    shards_[slots_[slot].shard]->remove(slots_[slot].call->easy());
    give_back(slot);
}

void CurlTransport::give_back(std::uint32_t slot) noexcept {
    Slot& ended = slots_[slot];
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
    const TimePoint end = clock_.now() + longest_run;
    bool more = true;
    while (more) {
        context_.now = clock_.now();
        more = drive();
        tell_completed();
        more = more && context_.now < end;
    }
    tell_refused();
    tell_expired();
    drop_idle_shards();
}

// Hands libcurl what is ready. Returns whether more may be.
bool CurlTransport::drive() {
    const SignalBlock no_signals;
    for (const SocketPoll::Event& event : sockets_.ready(context_.now)) {
        context_.read = 0;
        shards_[event.owner]->act(event.fd, event.events);
        sockets_.acted(event, context_.now, context_.read >= full_read_bytes, context_.read == 0);
    }
    const std::uint64_t adopted = sockets_.adopted();
    for (const auto& shard : shards_)
        if (shard) shard->act_on_timer(context_.now);
    // A connection that a timer set going may be there at once, where the host is near.
    return sockets_.has_more() || sockets_.adopted() != adopted || timer_is_due();
}

bool CurlTransport::timer_is_due() const noexcept {
    return std::any_of(shards_.begin(), shards_.end(),
                       [&](const auto& shard) { return shard && shard->timer() && *shard->timer() <= context_.now; });
}

// Closes the connections that were needed for a crowd which has gone.
void CurlTransport::drop_idle_shards() noexcept {
    for (std::size_t number = 1; number < shards_.size(); ++number) {
        std::unique_ptr<CurlShard>& shard = shards_[number];
        if (shard && shard->in_flight() == 0 && shard->idle_since() + options_.max_connection_idle < context_.now)
            shard.reset();
    }
}

void CurlTransport::tell_completed() {
    for (std::size_t number = 0; number < shards_.size(); ++number) {
        CURLcode code = CURLE_OK;
        while (CURL* easy = shards_[number] ? shards_[number]->next_ended(code) : nullptr) {
            CurlCall* call = nullptr;
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
            finish(call->slot(), call->result_of(code));
        }
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
    if (!refused_.empty() || sockets_.has_more()) return context_.now;
    std::optional<TimePoint> next;
    if (const auto first = deadlines_.first()) next = first->time;
    if (const auto due = sockets_.next_due(); due && (!next || *due < *next)) next = due;
    for (const auto& shard : shards_)
        if (shard && shard->timer() && (!next || *shard->timer() < *next)) next = shard->timer();
    return next;
}

}  // namespace pgchat
