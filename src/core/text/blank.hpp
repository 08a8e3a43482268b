// Whether a text says anything at all: a message of nothing but spaces is refused before it costs a call.
#pragma once

#include <string_view>

namespace pgchat {

// True where valid UTF-8 `text` is empty or only characters with the property White_Space (The Unicode Standard,
// PropList.txt). Reads no further than the first other character.
bool is_blank_text(std::string_view text) noexcept;

}  // namespace pgchat
