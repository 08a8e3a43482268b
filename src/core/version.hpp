// Orders version numbers of three parts, so that a difference can be told with what to do about it.
#pragma once

#include <string_view>

namespace pgchat {

// Whether version a ("1.2.3", of up to four numbers; what follows a hyphen does not count) is older than b. A part that
// is no number counts as 0.
bool is_older_version(std::string_view a, std::string_view b) noexcept;

}  // namespace pgchat
