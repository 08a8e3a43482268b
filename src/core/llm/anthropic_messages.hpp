// A conversation in the Messages API's form: no system messages, user and assistant in turn, content in blocks.
#pragma once

#include <string>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// The system prompt and all system messages, with a blank line between them; empty where there are none.
std::string anthropic_system(const ChatRequest& request);

// The "messages" array as JSON text. Tool results become user messages; neighbours with the same role are merged; empty
// messages are left out, as the API refuses them.
std::string anthropic_messages(const ChatRequest& request);

}  // namespace pgchat
