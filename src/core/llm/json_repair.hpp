// The slow path for JSON from a provider that holds text no database accepts, so that one odd character does not
// cost the whole reply.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

// Appends `json` to `out` with invalid UTF-8, raw U+0000, "\u0000" and lone surrogates ("\ud800") replaced by U+FFFD
// (see utf8.hpp); everything else stays as it is. True when something was replaced.
bool append_repaired_json(std::string& out, std::string_view json);

}  // namespace pgchat
