// Removes keys from text that a provider sent back, before the text can reach a log or another user.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

// `text` with "[redacted]" in place of `api_key` (where it has eight characters or more), of what follows "Bearer ",
// and of words that look like keys: those that begin with sk-, sk_, pk-, gsk_, xai-, AIza, hf_ or r8_ and go on for
// eight characters or more.
std::string scrub_secrets(std::string_view text, std::string_view api_key);

}  // namespace pgchat
