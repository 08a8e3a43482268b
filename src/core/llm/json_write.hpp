// JSON written onto a text: request bodies are mostly texts, which nlohmann's writer takes byte by byte.
#pragma once

#include <string>
#include <string_view>

#include "core/llm/json.hpp"

namespace pgchat {

// A value that no JSON text has: stands in a tree for what is JSON text already.
inline Json json_placeholder() {
    return Json(Json::value_t::discarded);
}

// Appends `text` as a JSON string. All is as Json::dump() without indentation writes it, with text that is not valid
// UTF-8 replaced.
void append_json_text(std::string& out, std::string_view text);

// Appends `value` likewise; `in_place` where it holds a json_placeholder().
void append_json(std::string& out, const Json& value, std::string_view in_place = {});

}  // namespace pgchat
