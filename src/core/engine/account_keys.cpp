#include "core/engine/account_keys.hpp"

namespace pgchat {

void AccountKeys::add(const Uuid& provider_id, OwnKey key) {
    entries_.insert_or_assign(provider_id, Entry{std::move(key), nullptr, nullptr});
}

AccountKeys::Way AccountKeys::to(const std::shared_ptr<const ProviderConfig>& shared) {
    // A key that is not sent is no key of the user's, and pays for nothing.
    const auto found = shared->auth == AuthType::none ? entries_.end() : entries_.find(shared->id);
    if (found == entries_.end()) return {shared, false};
    Entry& entry = found->second;
    if (entry.made_from != shared) {
        auto own = std::make_shared<ProviderConfig>(*shared);
        own->api_key = entry.key.key;
        own->key_error = entry.key.error;
        own->own_key_id = entry.key.id;
        entry.own = std::move(own);
        entry.made_from = shared;
    }
    return {entry.own, true};
}

}  // namespace pgchat
