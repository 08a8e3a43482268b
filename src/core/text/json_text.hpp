// Writes strings as JSON by hand, for texts that are put together without a tree.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

// Appends a UTF-8 text as a JSON string, quotes included (RFC 8259 section 7), escaped as PostgreSQL's escape_json
// does: only quotes, backslashes and what is below U+0020.
void append_json_string(std::string& out, std::string_view text);

}  // namespace pgchat
