#include "core/engine/engine.hpp"

#include <algorithm>
#include <cstring>

namespace pgchat {

std::size_t UuidHash::operator()(const Uuid& id) const noexcept {
    std::size_t random_part;
    std::memcpy(&random_part, id.bytes.data() + 8, sizeof random_part);
    return random_part;
}

Engine::Engine(Clock& clock, Transport& network, Transport& echo, EngineListener& listener)
    : clock_(clock), network_(network), echo_(echo), listener_(listener) {}

Engine::~Engine() = default;

std::size_t Engine::room() const noexcept {
    const std::size_t taken = in_flight_ + waiting_.size();
    return taken < limits_.max_calls ? limits_.max_calls - taken : 0;
}

Call& Engine::submit(CallSpec spec) {
    const Uuid id = spec.request_id;
    const Uuid message = spec.message_id;
    CallObserver& observer = *this;
    auto call = std::make_unique<Call>(std::move(spec), limits_.call, clock_, observer);
    Call& reference = *call;
    calls_.emplace(id, std::move(call));
    if (message != Uuid{}) by_message_[message] = &reference;
    // One that must wait for room has to hear of it when its time is up.
    if (room() == 0) waiting_deadlines_.emplace(reference.deadline(), id);
    waiting_.push_back(id);
    ++counters_.submitted;
    return reference;
}

Call* Engine::find(const Uuid& request_id) noexcept {
    const auto found = calls_.find(request_id);
    return found == calls_.end() ? nullptr : found->second.get();
}

Call* Engine::find_by_message(const Uuid& message_id) noexcept {
    const auto found = by_message_.find(message_id);
    return found == by_message_.end() ? nullptr : found->second;
}

void Engine::cancel(Call& call) {
    call.stop(CallStatus::cancelled, Error(ErrorCode::cancelled, "the call was cancelled"));
}

void Engine::for_each(const std::function<void(Call&)>& visit) {
    for (auto& [id, call] : calls_) visit(*call);
}

void Engine::interrupt_all() {
    for (auto& [id, call] : calls_) {
        if (call->is_finished()) continue;
        const bool has_text = !call->log().content().empty() || !call->log().thinking().empty();
        call->stop(has_text ? CallStatus::incomplete : CallStatus::error,
                   Error(ErrorCode::outcome_unknown, "the engine was stopped during the call",
                         "The provider may have done the work; it is not repeated unless you ask again."));
    }
}

void Engine::publish_end(Call& call) {
    const CallResult& result = call.result();
    constexpr EventKind kinds[] = {EventKind::done, EventKind::incomplete, EventKind::error, EventKind::cancelled};
    call.log().close(result.tool_calls, kinds[static_cast<std::size_t>(result.status)],
                     result.error ? std::string_view(result.error->what()) : std::string_view());
    retained_.push_back({clock_.now() + limits_.retention, call.spec().request_id});
    retained_bytes_ += retained_size(call);
    listener_.events_ready(call);
}

void Engine::release(Call& call) {
    const auto by_message = by_message_.find(call.spec().message_id);
    if (by_message != by_message_.end() && by_message->second == &call) by_message_.erase(by_message);
    calls_.erase(call.spec().request_id);
}

void Engine::run() {
    admit();
    network_.run();
    echo_.run();
    const TimePoint now = clock_.now();
    run_timers(now);
    flush_due(now);
    drop_expired(now);
    admit();
}

std::optional<TimePoint> Engine::next_deadline() const {
    std::optional<TimePoint> earliest;
    const auto consider = [&](TimePoint at) { earliest = earliest ? std::min(*earliest, at) : at; };
    for (const Transport* transport : {&network_, &echo_})
        if (const auto at = transport->next_deadline()) consider(*at);
    if (!retries_.empty()) consider(retries_.begin()->first);
    if (!waiting_deadlines_.empty()) consider(waiting_deadlines_.begin()->first);
    if (!flushes_.empty()) consider(flushes_.front().at);
    if (!retained_.empty()) consider(retained_.front().at);
    return earliest;
}

void Engine::text_arrived(Call& call) noexcept {
    if (!call.spec().stream) return;
    StreamLog& log = call.log();
    if (log.size() == 0 && !call.flush_scheduled) {
        first_flushes_.push_back(call.spec().request_id);
    } else if (!call.flush_scheduled) {
        flushes_.push_back({clock_.now() + limits_.flush_interval, call.spec().request_id});
    }
    call.flush_scheduled = true;
}

void Engine::retry_wanted(Call& call, Milliseconds delay) noexcept {
    ++counters_.retried;
    retries_.emplace(clock_.now() + delay, call.spec().request_id);
}

void Engine::finished(Call& call) noexcept {
    if (call.admitted) --in_flight_;
    ++(call.result().status == CallStatus::complete ? counters_.completed : counters_.failed);
    listener_.call_finished(call);
}

void Engine::admit() {
    while (!waiting_.empty() && in_flight_ < limits_.max_calls) {
        Call* const call = find(waiting_.front());
        waiting_.pop_front();
        if (call == nullptr || call->is_finished()) continue;
        call->admitted = true;
        ++in_flight_;
        begin(*call);
    }
}

void Engine::begin(Call& call) {
    call.start(call.spec().model->provider->kind == ProviderKind::echo ? echo_ : network_);
}

void Engine::run_timers(TimePoint now) {
    while (!retries_.empty() && retries_.begin()->first <= now) {
        Call* const call = find(retries_.begin()->second);
        retries_.erase(retries_.begin());
        if (call != nullptr && !call->is_finished()) begin(*call);
    }
    while (!waiting_deadlines_.empty() && waiting_deadlines_.begin()->first <= now) {
        Call* const call = find(waiting_deadlines_.begin()->second);
        waiting_deadlines_.erase(waiting_deadlines_.begin());
        if (call != nullptr && !call->admitted)
            call->stop(CallStatus::error,
                       Error(ErrorCode::request_timeout, "the call's time was up while it waited for room",
                             "See pgchat.max_calls."));
    }
}

void Engine::flush_due(TimePoint now) {
    const auto flush = [&](const Uuid& id) {
        Call* const call = find(id);
        if (call == nullptr) return;
        call->flush_scheduled = false;
        if (!call->log().closed() && call->log().flush()) listener_.events_ready(*call);
    };
    for (const Uuid& id : first_flushes_) flush(id);
    first_flushes_.clear();
    while (!flushes_.empty() && flushes_.front().at <= now) {
        const Uuid id = flushes_.front().request_id;
        flushes_.pop_front();
        flush(id);
    }
}

std::size_t Engine::retained_size(const Call& call) noexcept {
    return sizeof(Call) + call.log().content().capacity() + call.log().thinking().capacity() + 8u * call.log().size();
}

void Engine::drop_expired(TimePoint now) {
    for (std::size_t left = retained_.size(); left > 0; --left) {
        const Due due = retained_.front();
        if (due.at > now && retained_bytes_ <= limits_.max_retained_bytes) return;
        retained_.pop_front();
        Call* const call = find(due.request_id);
        if (call == nullptr) continue;
        if (!listener_.may_release(*call)) {
            retained_.push_back({now + std::max(limits_.retention, Milliseconds(1000)), due.request_id});
            continue;
        }
        retained_bytes_ -= std::min(retained_bytes_, retained_size(*call));
        release(*call);
    }
}

}  // namespace pgchat
