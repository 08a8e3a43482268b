// The JSON type of everything that is not on the path of a token (there, simdjson reads in place).
#pragma once

#include <nlohmann/json.hpp>

namespace pgchat {
using Json = nlohmann::ordered_json;
}
