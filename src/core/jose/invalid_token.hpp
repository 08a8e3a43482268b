// The one answer to every token that is not accepted, so that nothing is learned from it about why.
#pragma once

#include "core/error.hpp"

namespace pgchat {

// Throws Error invalid_token, always with the same text.
[[noreturn]] void refuse_token();

}  // namespace pgchat
