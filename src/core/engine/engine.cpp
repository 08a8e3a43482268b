#include "core/engine/engine.hpp"

#include <algorithm>

namespace pgchat {

Engine::Engine(Clock& clock, Transport& network, Transport& echo, EngineListener& listener)
    : clock_(clock), network_(network), echo_(echo), listener_(listener) {}

Engine::~Engine() = default;

std::size_t Engine::room() const noexcept {
    const std::size_t taken = in_flight_ + waiting();
    return taken < limits_.max_calls ? limits_.max_calls - taken : 0;
}

Call& Engine::submit(CallSpec spec) {
    CallObserver& observer = *this;
    const auto [place, is_new] = calls_.try_emplace(spec.request_id);
    if (!is_new) throw Error(ErrorCode::internal, "a call of this request id is there already");
    place->second = std::make_unique<Call>(std::move(spec), limits_.call, clock_, observer);
    Call& call = *place->second;
    call.number = ++counters_.submitted;
    if (call.spec().message_id != Uuid{}) by_message_[call.spec().message_id] = &call;
    accounts_.pin(call.spec().user_id);
    set_timer(call, call.deadline());
    Account* const account = accounts_.find(call.spec().user_id);
    if (account != nullptr && accounts_.find(Uuid{}) != nullptr)
        let_in(call, *account);
    else
        park(call);
    return call;
}

void Engine::park(Call& call) {
    call.stage = CallStage::parked;
    parked_[call.spec().user_id].emplace(call.number, &call);
    ++parked_count_;
}

std::vector<Uuid> Engine::missing_accounts() const {
    std::vector<Uuid> missing;
    if (parked_.empty()) return missing;
    for (const auto& [user_id, calls] : parked_) missing.push_back(user_id);
    if (!parked_.contains(Uuid{})) missing.emplace_back();
    return missing;
}

void Engine::accounts_loaded(const std::vector<Uuid>& user_ids) {
    for (const Uuid& user_id : user_ids) {
        Account* const account = accounts_.find_any(user_id);
        const auto found = parked_.find(user_id);
        if (account == nullptr || found == parked_.end()) continue;
        const std::map<std::uint64_t, Call*> calls = std::move(found->second);
        parked_.erase(found);
        parked_count_ -= calls.size();
        for (const auto& [number, call] : calls) let_in(*call, *account);
    }
}

// From here on the call counts against its account, or is refused.
void Engine::let_in(Call& call, Account& account) {
    call.stage = CallStage::waiting;
    try {
        check_in(call, account);
        waiting_.emplace(call.number, &call);
    } catch (const Error& error) {
        call.stop(CallStatus::error, error);
    } catch (const std::exception& error) {
        call.stop(CallStatus::error, Error(ErrorCode::internal, error.what()));
    }
}

// Everything that may refuse a call once its account is known, in this order: access, the key, the limits.
void Engine::check_in(Call& call, Account& account) {
    check_access(call.spec().user_id, account.access, *call.spec().model);
    const AccountKeys::Way way = account.keys.to(call.spec().model->provider);
    call.use(call.spec().model, way.provider, way.own_key);
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
        call->stop(call->has_text() ? CallStatus::incomplete : CallStatus::error,
                   call->is_in_progress()
                       ? Error(ErrorCode::outcome_unknown, "the engine was stopped during the call",
                               "The provider may have done the work; it is not repeated unless you ask again.")
                       : Error(ErrorCode::engine_unavailable, "the engine was stopped before the call was sent",
                               "The provider has done nothing for it; ask again."));
    }
}

void Engine::publish_end(Call& call) {
    const CallResult& result = call.result();
    constexpr EventKind kinds[] = {EventKind::done, EventKind::incomplete, EventKind::error, EventKind::cancelled};
    call.log().close(result.tool_calls, kinds[static_cast<std::size_t>(result.status)],
                     result.error ? std::string_view(result.error->what()) : std::string_view());
    retained_.push_back({clock_.now() + limits_.retention, call.spec().request_id, call.number});
    call.retained_bytes = retained_size(call);
    retained_bytes_ += call.retained_bytes;
    listener_.events_ready(call);
}

void Engine::release(Call& call) {
    const auto by_message = by_message_.find(call.spec().message_id);
    if (by_message != by_message_.end() && by_message->second == &call) by_message_.erase(by_message);
    retained_bytes_ -= call.retained_bytes;
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
    if (!timers_.empty()) consider(timers_.begin()->first.first);
    if (!flushes_.empty()) consider(flushes_.front().at);
    if (!retained_.empty()) consider(retained_.front().until);
    return earliest;
}

void Engine::text_arrived(Call& call) noexcept {
    if (!call.spec().stream || call.flush_scheduled) return;
    if (limits_.flush_interval <= Milliseconds{0}) {
        if (call.log().flush()) listener_.events_ready(call);
        return;
    }
    if (call.log().size() == 0)
        first_flushes_.push_back(call.spec().request_id);
    else
        flushes_.push_back({clock_.now() + limits_.flush_interval, call.spec().request_id});
    call.flush_scheduled = true;
}

void Engine::retry_wanted(Call& call, Milliseconds delay) noexcept {
    ++counters_.retried;
    set_timer(call, clock_.now() + delay);
}

void Engine::finished(Call& call) noexcept {
    leave_stage(call);
    clear_timer(call);
    ++(call.result().status == CallStatus::complete ? counters_.completed : counters_.failed);
    listener_.call_finished(call);
}

void Engine::leave_stage(Call& call) {
    switch (call.stage) {
        case CallStage::parked: {
            const auto found = parked_.find(call.spec().user_id);
            if (found == parked_.end()) return;
            parked_count_ -= found->second.erase(call.number);
            if (found->second.empty()) parked_.erase(found);
            return;
        }
        case CallStage::held:
            return;
        case CallStage::waiting:
            waiting_.erase(call.number);
            return;
        case CallStage::admitted:
            --in_flight_;
            return;
    }
}

void Engine::set_timer(Call& call, TimePoint at) {
    timers_.emplace(Timer{at, call.number}, &call);
    call.timer = at;
}

void Engine::clear_timer(Call& call) noexcept {
    if (call.timer) timers_.erase({*call.timer, call.number});
    call.timer.reset();
}

void Engine::admit() {
    while (!waiting_.empty() && in_flight_ < limits_.max_calls) {
        Call& call = *waiting_.begin()->second;
        waiting_.erase(waiting_.begin());
        clear_timer(call);
        call.stage = CallStage::admitted;
        ++in_flight_;
        begin(call);
    }
}

void Engine::begin(Call& call) {
    call.start(call.spec().provider->kind == ProviderKind::echo ? echo_ : network_);
}

void Engine::run_timers(TimePoint now) {
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
        Call& call = *timers_.begin()->second;
        clear_timer(call);
        if (call.stage == CallStage::admitted)
            begin(call);
        else
            call.stop(CallStatus::error,
                      Error(ErrorCode::request_timeout, "the call's time was up while it waited for room",
                            "See pgchat.max_calls."));
    }
}

void Engine::flush(const Uuid& request_id) {
    Call* const call = find(request_id);
    if (call == nullptr) return;
    call->flush_scheduled = false;
    if (!call->log().closed() && call->log().flush()) listener_.events_ready(*call);
}

void Engine::flush_due(TimePoint now) {
    for (const Uuid& id : first_flushes_) flush(id);
    first_flushes_.clear();
    while (!flushes_.empty() && flushes_.front().at <= now) {
        const Uuid id = flushes_.front().request_id;
        flushes_.pop_front();
        flush(id);
    }
}

std::size_t Engine::retained_size(const Call& call) noexcept {
    return sizeof(Call) + call.log().memory_size() + call.result().tool_calls.capacity();
}

void Engine::drop_expired(TimePoint now) {
    for (std::size_t left = retained_.size(); left > 0; --left) {
        const Retained oldest = retained_.front();
        const bool expired = oldest.until <= now;
        if (!expired && retained_bytes_ <= limits_.max_retained_bytes) return;
        retained_.pop_front();
        Call* const call = find(oldest.request_id);
        if (call == nullptr || call->number != oldest.number) continue;
        if (listener_.may_release(*call)) {
            release(*call);
            continue;
        }
        retained_.push_back({now + std::max(limits_.retention, Milliseconds(1000)), oldest.request_id, oldest.number});
        // Calls whose readers are behind are asked for one by one, as a run() for each token must not look at them all.
        if (!expired) return;
    }
}

}  // namespace pgchat
