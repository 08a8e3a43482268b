// How a call that was let in begins: with the reply of an identical one, or in its turn at a provider that may be
// asked; and what follows when an attempt fails.
#include "core/engine/engine.hpp"
#include "core/engine/jitter.hpp"

namespace pgchat {

std::size_t Engine::room() const noexcept {
    const std::size_t taken = in_flight_ + admission_.ready() + following_.size() + parked_count_;
    return taken < limits_.max_calls ? limits_.max_calls - taken : 0;
}

std::size_t Engine::room_for_durable() const noexcept {
    const std::size_t free = room();
    const bool immediate_ones_wait = admission_.ready() > 0 && !admission_.has_ready_durable();
    return free == 0 && immediate_ones_wait ? 1 : free;
}

std::vector<std::string> Engine::full_models() const {
    return catalog_->models_of(admission_.full_providers());
}

// True when another call's reply is the call's own, or will be.
bool Engine::share(Call& call) {
    switch (sharing_.enter(call, clock_.now())) {
        case ReplySharing::Place::follower:
            call.stage = CallStage::following;
            following_.emplace(call.number, &call);
            return true;
        case ReplySharing::Place::answered:
            call.complete_with(sharing_.reply());
            return true;
        default:
            return false;
    }
}

// Those who waited for the reply of a call that has finished get it, or go on by themselves; where only its caller went
// away, the first of them leads the others.
void Engine::end_sharing(Call& call) {
    const ReplySharing::Departure departure = sharing_.leave(call, clock_.now());
    for (const std::uint64_t number : departure.followers) {
        Call& follower = *following_.at(number);
        following_.erase(number);
        follower.stage = CallStage::waiting;
        if (departure.reply)
            follower.complete_with(*departure.reply);
        else
            go_on(follower, call.result().status == CallStatus::cancelled);
    }
}

// Into the queue, or where it may share, first to the calls that ask the same.
void Engine::go_on(Call& call, bool may_share) {
    try {
        if (may_share && share(call)) return;
        Account* const account = accounts_.find_any(call.spec().user_id);
        if (account == nullptr) throw Error(ErrorCode::internal, "the call's account is not there");
        enqueue(call, *account);
    } catch (const Error& error) {
        call.stop(CallStatus::error, error);
    }
}

void Engine::wait_for_room(Call& call) {
    call.stage = CallStage::waiting;
    admission_.add(call);
}

// The model that the call asks for, or else the first of its fallback models that the user may use. Throws Error
// permission_denied where there is none.
std::shared_ptr<const ModelEntry> Engine::usable_model(Call& call, const Account& account) {
    try {
        check_access(call.spec().user_id, account.access, *call.spec().model);
        return call.spec().model;
    } catch (const Error&) {
        std::shared_ptr<const ModelEntry> model = next_fallback(call, account);
        if (!model) throw;
        return model;
    }
}

// The next of the call's fallback models that its user may use; null where there is none.
std::shared_ptr<const ModelEntry> Engine::next_fallback(Call& call, const Account& account) {
    while (std::shared_ptr<const ModelEntry> model = call.next_fallback())
        if (call.spec().user_id == Uuid{} || account.access.allows(*model)) return model;
    return nullptr;
}

// Has the next attempt ask this model, as this user reaches it.
void Engine::use_model(Call& call, Account& account, std::shared_ptr<const ModelEntry> model) {
    AccountKeys::Way way = account.keys.to(model->provider);
    call.use(std::move(model), std::move(way.provider), way.own_key);
}

void Engine::admit() {
    while (in_flight_ < limits_.max_calls) {
        Call* const call = admission_.take();
        if (call == nullptr) return;
        clear_timer(*call);
        call->stage = CallStage::admitted;
        ++in_flight_;
        begin(*call);
    }
}

void Engine::begin(Call& call) {
    try {
        admission_.begin_attempt(call, clock_.now());
        set_aside_for(call);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::provider_suspended || !fall_back(call)) call.stop(CallStatus::error, error);
        return;
    }
    call.start(call.spec().provider->kind == ProviderKind::echo ? echo_ : network_);
}

void Engine::attempt_failed(Call& call, ProviderHealth health, bool is_last) noexcept {
    admission_.attempt_failed(call, health, is_last, clock_.now(), random_fraction());
}

void Engine::retry_wanted(Call& call, Milliseconds delay) noexcept {
    ++counters_.retried;
    set_timer(call, clock_.now() + delay);
}

// The call waits for room once more, at the provider of its next model.
bool Engine::fall_back(Call& call) noexcept {
    Account* const account = accounts_.find_any(call.spec().user_id);
    std::shared_ptr<const ModelEntry> model = account == nullptr ? nullptr : next_fallback(call, *account);
    if (!model) return false;
    leave_stage(call);
    use_model(call, *account, std::move(model));
    wait_for_room(call);
    set_timer(call, call.deadline());
    return true;
}

}  // namespace pgchat
