// The provider keys that are one user's own, as the engine last read them.
#pragma once

namespace pgchat {

struct AccountKeys {};

}  // namespace pgchat
