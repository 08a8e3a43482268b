// The master keys of an installation: the one that seals, and older ones as long as they have sealed something.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/master_key.hpp"

namespace pgchat {

inline constexpr std::size_t most_master_keys = 16;

class KeyRing {
public:
    // From one key a line, the current one first, as MasterKey::parse takes it; lines without a key are passed over,
    // and so is a key that came before. Throws Error: master_key_unavailable where there is none, a line is malformed,
    // or there are more than most_master_keys.
    static KeyRing parse(std::string_view text);

    // The key that seals.
    const MasterKey& current() const noexcept { return keys_.front(); }
    // The key of that id; null where it is not among them.
    const MasterKey* find(std::string_view id) const noexcept;
    // The ids of all but the current one.
    std::vector<std::string> old_ids() const;
    bool has_old_keys() const noexcept { return keys_.size() > 1; }

private:
    std::vector<MasterKey> keys_;
};

}  // namespace pgchat
