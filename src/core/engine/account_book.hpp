// The accounts that the engine holds in memory: found by user, read anew when a policy has changed, dropped when idle.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "core/engine/account.hpp"
#include "core/uuid.hpp"

namespace pgchat {

class AccountBook {
public:
    explicit AccountBook(std::size_t most_accounts = 10'000) : most_accounts_(most_accounts) {}

    // The generation of what the database says of accounts: those of another one are to be read anew.
    void set_generation(std::uint64_t generation) noexcept { generation_ = generation; }
    std::uint64_t generation() const noexcept { return generation_; }

    // The account as it may be used now; null where it must be read first. The nil user is the installation itself.
    Account* find(const Uuid& user_id) noexcept;
    // The account whatever its generation; null where it is not there.
    Account* find_any(const Uuid& user_id) noexcept;

    // Takes what was read of an account, while the generation was this. Of one that is there already the usage stays,
    // for the database may lack what was used last. May drop accounts that were not used for long.
    Account& put(const Uuid& user_id, Account loaded, std::uint64_t generation);

    // A pinned account is not dropped: it has usage that the database does not know of. Pins are counted; pinning an
    // account that is not there makes one that is to be read.
    void pin(const Uuid& user_id);
    void unpin(const Uuid& user_id) noexcept;

    std::size_t size() const noexcept { return entries_.size(); }

private:
    struct Entry {
        Account account;
        std::uint64_t generation = 0;
        bool is_loaded = false;
        std::size_t pins = 0;
        std::list<Uuid>::iterator place;  // in used_
    };

    Entry& entry_of(const Uuid& user_id);
    void drop_idle() noexcept;

    std::size_t most_accounts_;
    std::uint64_t generation_ = 0;
    std::unordered_map<Uuid, Entry, UuidHash> entries_;
    std::list<Uuid> used_;  // the last used first
};

}  // namespace pgchat
