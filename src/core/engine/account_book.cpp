#include "core/engine/account_book.hpp"

namespace pgchat {

Account* AccountBook::find(const Uuid& user_id) noexcept {
    const auto found = entries_.find(user_id);
    if (found == entries_.end()) return nullptr;
    Entry& entry = found->second;
    if (!entry.is_loaded || entry.generation != generation_) return nullptr;
    used_.splice(used_.begin(), used_, entry.place);
    return &entry.account;
}

Account* AccountBook::find_any(const Uuid& user_id) noexcept {
    const auto found = entries_.find(user_id);
    return found == entries_.end() || !found->second.is_loaded ? nullptr : &found->second.account;
}

Account& AccountBook::put(const Uuid& user_id, Account loaded, std::uint64_t generation) {
    Entry& entry = entry_of(user_id);
    if (entry.is_loaded) loaded.usage = std::move(entry.account.usage);
    entry.account = std::move(loaded);
    entry.generation = generation;
    entry.is_loaded = true;
    used_.splice(used_.begin(), used_, entry.place);
    drop_idle();
    return entry.account;
}

void AccountBook::pin(const Uuid& user_id) {
    ++entry_of(user_id).pins;
}

void AccountBook::unpin(const Uuid& user_id) noexcept {
    const auto found = entries_.find(user_id);
    if (found != entries_.end() && found->second.pins > 0) --found->second.pins;
}

AccountBook::Entry& AccountBook::entry_of(const Uuid& user_id) {
    const auto [found, is_new] = entries_.try_emplace(user_id);
    if (is_new) found->second.place = used_.insert(used_.begin(), user_id);
    return found->second;
}

// From the idlest on; those that must stay are passed over.
void AccountBook::drop_idle() noexcept {
    auto next = used_.end();
    while (entries_.size() > most_accounts_ && next != used_.begin()) {
        --next;
        // The one just used stays, whatever the limit.
        if (next == used_.begin()) return;
        const auto found = entries_.find(*next);
        if (found->second.pins > 0) continue;
        entries_.erase(found);
        next = used_.erase(next);
    }
}

}  // namespace pgchat
