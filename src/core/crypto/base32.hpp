// Base32, in which people and authenticator apps exchange TOTP secrets: RFC 4648 section 6.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgchat {

// The text of `bytes`: A to Z and 2 to 7, without padding, which no authenticator app needs.
std::string base32_encode(std::string_view bytes);

// The bytes of `text`. Takes what people type: either case, blanks anywhere, padding or none; bits that fill no byte
// are dropped. nullopt for any other character, padding before the end, and a length that no number of bytes encodes
// to.
std::optional<std::string> base32_decode(std::string_view text);

}  // namespace pgchat
