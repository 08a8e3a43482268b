// Helpers for encoding the messages of a chat request, alike for all providers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// The name of a role in every provider's wire form.
const char* role_name(Role role) noexcept;

// The position of the last user message, to which options.images belong; messages.size() where there is none.
std::size_t last_user_message(const ChatRequest& request) noexcept;

// All images of message `index`: its own, and for the last user message also options.images.
std::vector<const ImagePart*> images_of(const ChatRequest& request, std::size_t index, std::size_t last_user);

// True where message `index` is a role and a text and nothing else.
bool is_plain_message(const ChatRequest& request, std::size_t index, std::size_t last_user) noexcept;

// The arguments of a tool call as an object, for providers that take no text: the text parsed, or
// {"arguments": <text>} where a model once wrote something else than a JSON object.
Json arguments_object(const Json& tool_call);

}  // namespace pgchat
