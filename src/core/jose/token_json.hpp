// Reading JSON that decides who somebody is: an object, each of whose members is there once.
#pragma once

#include <string_view>

#include "core/llm/json.hpp"

namespace pgchat {

// Parses a JSON object. Parsers differ in which of two members of the same name they take, so that two systems could
// see two different users in one token: any repeated name, at any depth and however it is escaped, is refused.
// Throws JsonError (json_parse.hpp) for that, for what is no object, nested deeper than 16 levels, holds U+0000, a
// number out of range, invalid UTF-8 or a lone surrogate.
Json parse_token_json(std::string_view text);

}  // namespace pgchat
