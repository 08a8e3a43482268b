// Finds the branch that leads to a message among the messages of its conversation, so that one scan tells a model of it
// instead of a look-up for each message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/uuid.hpp"

namespace pgchat {

struct BranchMessage {
    Uuid id;
    std::optional<Uuid> parent_id;   // nullopt: the first of a branch
    std::string_view role;           // a plain word
    std::string_view content;        // UTF-8
    std::int64_t output_tokens = 0;  // as its provider counted them; 0: not known
    bool is_plain = false;           // its role and content are all that is told of it
};

// Messages may come in any order; those that are not on the branch are left out.
class Branch {
public:
    // Beyond so many times the room, off the branch or on it, no more is taken, and there is no answer: where a branch
    // does not fit, that is to be known without reading all.
    static constexpr std::int64_t most_rooms = 4;

    // room: tokens that its messages may take, each counted as if it had the most that its bytes can be.
    Branch(const Uuid& leaf_id, std::int64_t room) : leaf_id_(leaf_id), room_(room) {}

    bool is_full() const noexcept { return tokens_ > most_rooms * room_; }
    void add(const BranchMessage& message);

    // A JSON array of {"role", "content"}, root first, without empty answers. nullopt: a message of the branch is not
    // plain or did not come, or they do not fit into the room.
    std::optional<std::string> messages();

private:
    struct Entry {
        Uuid id;
        std::optional<Uuid> parent_id;
        std::size_t begin;  // in texts_: its role, then its content
        std::size_t role_size;
        std::size_t content_size;
        std::int64_t most_tokens;
        bool is_plain;
    };

    const Entry* find(const Uuid& id, std::size_t guess);
    std::optional<std::vector<const Entry*>> upwards();

    Uuid leaf_id_;
    std::int64_t room_;
    std::int64_t tokens_ = 0;  // of all messages
    std::string texts_;
    std::vector<Entry> entries_;
    std::unordered_map<Uuid, std::size_t, UuidHash> places_;  // filled when a guess was wrong
};

}  // namespace pgchat
