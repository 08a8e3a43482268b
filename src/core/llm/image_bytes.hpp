// Images given as bytea, which PostgreSQL writes as text with \x and hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// The image in `hex` (digits without the \x); nullopt where that is not hexadecimal, or no PNG, JPEG, GIF or WebP.
std::optional<ImagePart> image_from_hex(std::string_view hex);

// Base64 in the usual alphabet, with padding and without line ends, as data URLs have it.
std::string base64_of(std::string_view bytes);

}  // namespace pgchat
