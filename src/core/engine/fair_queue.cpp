#include "core/engine/fair_queue.hpp"

namespace pgchat {

void FairQueue::push(const std::string& name, const Uuid& user, Ticket ticket) {
    const auto [found, is_new_provider] = providers_.try_emplace(name);
    Provider& provider = found->second;
    if (is_new_provider) {
        provider.name = name;
        provider.place = turns_.insert(turns_.end(), &provider);
    }
    const auto [place, is_new_lane] = provider.lanes.try_emplace(user);
    Lane& lane = place->second;
    if (is_new_lane) {
        lane.provider = &provider;
        lane.user = user;
        lane.place = provider.turns.insert(provider.turns.end(), &lane);
    }
    lane.tickets.insert(ticket);
    lanes_of_tickets_.emplace(ticket, &lane);
    ++provider.waiting;
    if (!provider.held) ++ready_;
}

bool FairQueue::erase(Ticket ticket) {
    const auto found = lanes_of_tickets_.find(ticket);
    if (found == lanes_of_tickets_.end()) return false;
    Lane& lane = *found->second;
    lanes_of_tickets_.erase(found);
    lane.tickets.erase(ticket);
    --lane.provider->waiting;
    if (!lane.provider->held) --ready_;
    if (lane.tickets.empty()) drop(lane);
    return true;
}

std::optional<FairQueue::Ticket> FairQueue::front() const noexcept {
    if (turns_.empty()) return std::nullopt;
    return *turns_.front()->turns.front()->tickets.begin();
}

void FairQueue::pop() {
    Provider& provider = *turns_.front();
    Lane& lane = *provider.turns.front();
    turns_.splice(turns_.end(), turns_, provider.place);
    provider.turns.splice(provider.turns.end(), provider.turns, lane.place);
    erase(*lane.tickets.begin());
}

void FairQueue::hold(const std::string& name) {
    const auto found = providers_.find(name);
    if (found == providers_.end() || found->second.held) return;
    Provider& provider = found->second;
    provider.held = true;
    ready_ -= provider.waiting;
    turns_.erase(provider.place);
}

void FairQueue::release(const std::string& name) {
    const auto found = providers_.find(name);
    if (found == providers_.end() || !found->second.held) return;
    Provider& provider = found->second;
    provider.held = false;
    ready_ += provider.waiting;
    provider.place = turns_.insert(turns_.end(), &provider);
}

std::size_t FairQueue::waiting_for(const std::string& name) const noexcept {
    const auto found = providers_.find(name);
    return found == providers_.end() ? 0 : found->second.waiting;
}

void FairQueue::drop(Lane& lane) {
    Provider& provider = *lane.provider;
    provider.turns.erase(lane.place);
    provider.lanes.erase(Uuid(lane.user));
    if (!provider.lanes.empty()) return;
    if (!provider.held) turns_.erase(provider.place);
    providers_.erase(std::string(provider.name));
}

}  // namespace pgchat
