// How a call comes in: it waits for its user's account, is refused or held by the account's limits, and has money set
// aside for each attempt.
#include <algorithm>

#include "core/engine/engine.hpp"

namespace pgchat {

void Engine::park(Call& call) {
    call.stage = CallStage::parked;
    parked_[call.spec().user_id].emplace(call.number, &call);
    ++parked_count_;
}

std::vector<Uuid> Engine::missing_accounts() {
    std::vector<Uuid> missing;
    if (parked_.empty()) return missing;
    for (const auto& [user_id, calls] : parked_) missing.push_back(user_id);
    // What all together have used takes long to sum up.
    if (!parked_.contains(Uuid{}) && accounts_.find(Uuid{}) == nullptr) missing.emplace_back();
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
    // A limit may have been raised.
    for (const Uuid& user_id : user_ids) release_held(user_id);
}

// From here on the call counts against its account, or is refused.
void Engine::let_in(Call& call, Account& account) {
    call.stage = CallStage::waiting;
    try {
        check_in(call, account);
        if (!share(call)) enqueue(call, account);
    } catch (const Error& error) {
        call.stop(CallStatus::error, error);
    } catch (const std::exception& error) {
        call.stop(CallStatus::error, Error(ErrorCode::internal, error.what()));
    }
}

// Everything that may refuse a call once its account is known, in this order: access, the key, the rate. What it may
// cost is looked at when it is sent.
void Engine::check_in(Call& call, Account& account) {
    check_is_active(account);
    use_model(call, account, usable_model(call, account));
    count_request(account, clock_.now(), clock_.unix_seconds());
}

// Into the queue, or where only so many of the user's may run at once, behind those that do.
void Engine::enqueue(Call& call, Account& account) {
    const Uuid& user_id = call.spec().user_id;
    if (!is_at_concurrency_limit(account)) {
        ++account.usage.running;
        call.is_running = true;
        wait_for_room(call);
        return;
    }
    if (!call.spec().may_wait) throw concurrency_refusal(account);
    call.stage = CallStage::held;
    held_[user_id].emplace(call.number, &call);
    ++held_count_;
}

void Engine::release_held(const Uuid& user_id) {
    for (auto found = held_.find(user_id); found != held_.end(); found = held_.find(user_id)) {
        Account* const account = accounts_.find_any(user_id);
        if (account == nullptr || is_at_concurrency_limit(*account)) return;
        Call& call = *found->second.begin()->second;
        found->second.erase(found->second.begin());
        if (found->second.empty()) held_.erase(found);
        --held_count_;
        enqueue(call, *account);
    }
}

std::vector<Uuid> Engine::saturated_users() const {
    std::vector<Uuid> users;
    for (const auto& [user_id, calls] : held_)
        if (calls.size() >= limits_.max_held_of_one) users.push_back(user_id);
    std::sort(users.begin(), users.end());
    return users;
}

void Engine::stop_running(const Uuid& user_id) noexcept {
    Account* const account = accounts_.find_any(user_id);
    if (account != nullptr) --account->usage.running;
    release_held(user_id);
}

// Sets the most aside that the next attempt may use, for the user and for the installation. Throws Error where either
// has too little left.
void Engine::set_aside_for(Call& call) {
    Account* const user = accounts_.find_any(call.spec().user_id);
    Account* const installation = accounts_.find_any(Uuid{});
    if (user == nullptr || installation == nullptr) throw Error(ErrorCode::internal, "the call's account is not there");
    check_is_active(*user);
    if (!user->limits.tokens_per_day && !user->limits.cost_per_month && !installation->limits.cost_per_month) return;
    Estimate estimate = call.estimate();
    if (call.spec().own_key && user->limits.own_keys_exempt) estimate.least.cost = estimate.most.cost = 0;
    const std::int64_t now = clock_.unix_seconds();
    Charge charge = fit(*user, estimate, call.spec().user_id == Uuid{} ? Payer::installation : Payer::user, now);
    if (user != installation) {
        estimate.most = charge;
        charge.cost = fit(*installation, estimate, Payer::installation, now).cost;
        pgchat::set_aside(*installation, charge);
    }
    pgchat::set_aside(*user, charge);
    call.set_aside = charge;
}

void Engine::attempt_ended(Call& call, const Attempt& attempt) noexcept {
    const Charge was_set_aside = std::exchange(call.set_aside, {});
    Charge used;
    used.tokens = saturated_sum(attempt.usage.input_tokens.value_or(0), attempt.usage.output_tokens.value_or(0));
    used.cost = attempt.cost;
    const std::int64_t now = clock_.unix_seconds();
    Account* const user = accounts_.find_any(call.spec().user_id);
    Account* const installation = accounts_.find_any(Uuid{});
    if (user != nullptr && attempt.own_key && user->limits.own_keys_exempt) used.cost = 0;
    if (user != nullptr) settle(*user, was_set_aside, used, now);
    if (installation != nullptr && installation != user) settle(*installation, was_set_aside, used, now);
}

}  // namespace pgchat
