// Replies kept for calls that ask the same again and allow the same answer: bounded in memory, the least used go first.
#pragma once

#include <cstring>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/crypto/sha256.hpp"

namespace pgchat {

// A complete reply, without what only its own call has: cost, times, usage.
struct CachedReply {
    std::string content;
    std::string thinking;
    std::string tool_calls;  // JSON, empty where there are none
    std::string finish_reason;
    bool sanitized = false;
};

// Hashes what is a hash already.
struct DigestHash {
    std::size_t operator()(const Sha256Digest& digest) const noexcept {
        std::size_t part;
        std::memcpy(&part, digest.data(), sizeof part);
        return part;
    }
};

class ResponseCache {
public:
    // Drops what is too much for the new bound; 0 bytes keeps nothing.
    void set_max_bytes(std::size_t max_bytes);

    // The reply of that key if it is no older than its own ttl and `max_age`; null where there is none.
    std::shared_ptr<const CachedReply> find(const Sha256Digest& key, TimePoint now, Milliseconds max_age);
    // Keeps a reply for `ttl`, in place of an older one of the key. One that is larger than the bound is not kept.
    void put(const Sha256Digest& key, std::shared_ptr<const CachedReply> reply, TimePoint now, Milliseconds ttl);

    std::size_t size() const noexcept { return entries_.size(); }
    // Memory of the replies, with what each costs to keep.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    struct Entry {
        Sha256Digest key;
        std::shared_ptr<const CachedReply> reply;
        TimePoint stored_at;
        TimePoint expires_at;
        std::size_t bytes;
    };
    using Entries = std::list<Entry>;

    void erase(Entries::iterator entry);
    void shrink(std::size_t to_bytes);

    Entries entries_;  // the last used first
    std::unordered_map<Sha256Digest, Entries::iterator, DigestHash> by_key_;
    std::size_t max_bytes_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace pgchat
