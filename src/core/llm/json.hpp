// The JSON types of everything that is not on the path of a token (there, simdjson reads in place).
#pragma once

#include <nlohmann/json.hpp>

namespace pgchat {
using Json = nlohmann::ordered_json;
// For documents of somebody else's making that may be large: Json finds a member by looking at all before it.
using SortedJson = nlohmann::json;
}  // namespace pgchat
