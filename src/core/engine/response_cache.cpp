#include "core/engine/response_cache.hpp"

#include <iterator>

namespace pgchat {
namespace {

// What an entry costs beside its texts: nodes of the list and the map, the reply itself, and the allocator's share.
constexpr std::size_t entry_overhead = sizeof(CachedReply) + 256;

std::size_t size_of(const CachedReply& reply) noexcept {
    return entry_overhead + reply.content.capacity() + reply.thinking.capacity() + reply.tool_calls.capacity() +
           reply.finish_reason.capacity();
}

}  // namespace

void ResponseCache::set_max_bytes(std::size_t max_bytes) {
    max_bytes_ = max_bytes;
    shrink(max_bytes_);
}

std::shared_ptr<const CachedReply> ResponseCache::find(const Sha256Digest& key, TimePoint now, Milliseconds max_age) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    const Entries::iterator entry = found->second;
    if (now >= entry->expires_at) {
        erase(entry);
        return nullptr;
    }
    if (now - entry->stored_at >= max_age) return nullptr;
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->reply;
}

void ResponseCache::put(const Sha256Digest& key, std::shared_ptr<const CachedReply> reply, TimePoint now,
                        Milliseconds ttl) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
    const std::size_t bytes = size_of(*reply);
    if (bytes > max_bytes_ || ttl <= Milliseconds{0}) return;
    shrink(max_bytes_ - bytes);
    entries_.push_front({key, std::move(reply), now, now + ttl, bytes});
    by_key_.emplace(key, entries_.begin());
    bytes_ += bytes;
}

void ResponseCache::erase(Entries::iterator entry) {
    bytes_ -= entry->bytes;
    by_key_.erase(entry->key);
    entries_.erase(entry);
}

void ResponseCache::shrink(std::size_t to_bytes) {
    while (bytes_ > to_bytes) erase(std::prev(entries_.end()));
}

}  // namespace pgchat
