// The `options` argument of the SQL functions, parsed by itself: a chat's messages often come from tables instead.
#pragma once

#include <string_view>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// Parses and validates; an empty view gives the defaults, and a member that is null counts as absent. Throws Error:
// malformed_options for anything that is not an object of known members with values in range.
ChatOptions parse_chat_options(std::string_view options, int max_nesting = ChatRequestLimits{}.max_nesting);

// Parses `response_format`: an object, or null. Throws Error: malformed_options.
Json parse_response_format(std::string_view response_format, int max_nesting = ChatRequestLimits{}.max_nesting);

}  // namespace pgchat
