// Base64 in the URL-safe alphabet, for tokens: RFC 4648 section 5, without padding.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgchat {

// The text of `bytes`: letters, digits, '-' and '_', no padding.
std::string base64url_encode(std::span<const std::uint8_t> bytes);
std::string base64url_encode(std::string_view bytes);

// The bytes of `text`. Strict: nullopt for padding, white space, the characters '+' and '/', an impossible length, and
// a last character whose unused bits are set, so that no two texts mean the same bytes (RFC 4648 section 3.5).
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace pgchat
