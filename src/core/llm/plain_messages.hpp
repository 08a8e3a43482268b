// The common form of `messages`, read without a tree: a conversation of texts goes through here with every turn.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// The messages of a JSON array, where each is an object of nothing but a role other than tool and a content that is one
// text, not blank for a user. nullopt for anything else, be it another form or an error, and for more than `most`: then
// parse_chat_request's other way tells which.
std::optional<std::vector<ChatMessage>> read_plain_messages(std::string_view json, std::size_t most);

}  // namespace pgchat
