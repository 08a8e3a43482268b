#include "core/llm/branch.hpp"

#include <algorithm>

#include "core/llm/message_list.hpp"

namespace pgchat {
namespace {

// As chat_private.branch_upwards counts, or more, and as chat_private.is_context leaves out: what fits here must fit
// there. What each message takes besides its content: its role and the marks around it.
constexpr std::int64_t tokens_per_message = 8;
constexpr std::int64_t bytes_per_token = 3;

// A provider's count may be larger than the guess by bytes, but no token has less than one.
std::int64_t most_tokens_of(std::size_t content_size, std::int64_t output_tokens) noexcept {
    const auto bytes = static_cast<std::int64_t>(content_size);
    return tokens_per_message +
           std::max((bytes + bytes_per_token - 1) / bytes_per_token, std::min(output_tokens, bytes));
}

}  // namespace

void Branch::add(const BranchMessage& message) {
    const std::int64_t most_tokens = most_tokens_of(message.content.size(), message.output_tokens);
    entries_.push_back({message.id, message.parent_id, texts_.size(), message.role.size(), message.content.size(),
                        most_tokens, message.is_plain});
    tokens_ += most_tokens;
    texts_.append(message.role).append(message.content);
}

// Messages mostly come in the order they were stored in, each after its parent.
const Branch::Entry* Branch::find(const Uuid& id, std::size_t guess) {
    if (guess < entries_.size() && entries_[guess].id == id) return &entries_[guess];
    if (places_.empty())
        for (std::size_t place = 0; place < entries_.size(); ++place) places_.emplace(entries_[place].id, place);
    const auto found = places_.find(id);
    return found == places_.end() ? nullptr : &entries_[found->second];
}

std::optional<std::vector<const Branch::Entry*>> Branch::upwards() {
    if (is_full() || room_ < 0) return std::nullopt;
    std::vector<const Entry*> branch;
    std::int64_t room = room_;
    std::size_t guess = entries_.size() - 1;
    std::optional<Uuid> id = leaf_id_;
    while (id) {
        const Entry* const entry = find(*id, guess);
        if (entry == nullptr || !entry->is_plain || branch.size() == entries_.size()) return std::nullopt;
        room -= entry->most_tokens;
        if (room < 0) return std::nullopt;
        branch.push_back(entry);
        guess = static_cast<std::size_t>(entry - entries_.data()) - 1;
        id = entry->parent_id;
    }
    return branch;
}

std::optional<std::string> Branch::messages() {
    const auto branch = upwards();
    if (!branch) return std::nullopt;
    MessageList messages(branch->size(), texts_.size());
    for (auto entry = branch->rbegin(); entry != branch->rend(); ++entry) {
        const std::string_view text = texts_;
        const std::string_view role = text.substr((*entry)->begin, (*entry)->role_size);
        const std::string_view content = text.substr((*entry)->begin + role.size(), (*entry)->content_size);
        if (role == "assistant" && content.empty()) continue;
        messages.add(role, content);
    }
    return std::move(messages).take();
}

}  // namespace pgchat
