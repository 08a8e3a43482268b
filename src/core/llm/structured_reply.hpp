// Replies that must be JSON: whether one is what the response_format asks for, and how the model is asked to mend it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// Whether a response_format, as the text of its JSON, asks for JSON; false for an empty text. Throws Error
// malformed_options where it is not an object.
bool asks_for_json(std::string_view response_format);

// What is wrong with a reply, in words that a model can act on; nullopt where nothing is, or any text will do.
std::optional<std::string> structured_reply_fault(const Json& response_format, std::string_view reply);

// Makes the request one for the same reply without the fault: the reply and what is wrong with it are added.
void ask_for_repair(ChatRequest& request, std::string_view reply, const std::string& fault);

}  // namespace pgchat
