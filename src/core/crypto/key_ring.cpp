#include "core/crypto/key_ring.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace pgchat {
namespace {

bool is_blank(std::string_view line) noexcept {
    return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

KeyRing KeyRing::parse(std::string_view text) {
    KeyRing ring;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (is_blank(line)) continue;
        MasterKey key = MasterKey::parse(line);
        if (ring.find(key.id()) == nullptr) ring.keys_.push_back(std::move(key));
    }
    if (ring.keys_.empty()) ring.keys_.push_back(MasterKey::parse({}));
    if (ring.keys_.size() > most_master_keys)
        throw Error(ErrorCode::master_key_unavailable, "there are too many master keys",
                    "Keep the current one and those that have sealed what is still stored, 16 in all.");
    return ring;
}

const MasterKey* KeyRing::find(std::string_view id) const noexcept {
    const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const MasterKey& key) { return key.id() == id; });
    return found == keys_.end() ? nullptr : &*found;
}

std::vector<std::string> KeyRing::old_ids() const {
    std::vector<std::string> ids;
    for (std::size_t i = 1; i < keys_.size(); ++i) ids.emplace_back(keys_[i].id());
    return ids;
}

}  // namespace pgchat
