// The one answer to every token that is not accepted, so that nothing is learned from it about why.
#pragma once

#include "core/error.hpp"

namespace pgchat {

// The error, always with the same text.
Error invalid_token();

// Throws it.
[[noreturn]] void refuse_token();

}  // namespace pgchat
