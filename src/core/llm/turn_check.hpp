// What a message must be before anything of its turn is read or stored; the same for every way to send one.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgchat {

// Checks the text of a message, at most `max_bytes` long; one with files may be blank. Throws Error: empty_content
// where it is blank and has none, content_too_long.
void check_content(std::string_view content, std::size_t max_bytes, bool has_files = false);

// Checks a client's name for a turn: 1 to 255 characters of UTF-8. Throws Error invalid_argument.
void check_idempotency_key(std::string_view key);

}  // namespace pgchat
