// Parsing of JSON that comes from outside, with bounds: nlohmann's parser sets no limit on nesting by itself.
#pragma once

#include <stdexcept>
#include <string_view>

#include "core/llm/json.hpp"

namespace pgchat {

// Why a text is not acceptable JSON, in a few words that hold none of the text.
class JsonError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Parses one JSON value (RFC 8259). Throws JsonError for a syntax error, invalid UTF-8, a lone surrogate, a number
// out of range, U+0000 in a string, or more than `max_nesting` levels of arrays and objects; stops reading there.
Json parse_json(std::string_view text, int max_nesting);
SortedJson parse_sorted_json(std::string_view text, int max_nesting);

}  // namespace pgchat
