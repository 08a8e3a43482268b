// How long a server asks to be left alone.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace pgchat {

// Reads a Retry-After value (RFC 9110 section 10.2.3): a number of seconds, or an HTTP date against `now`, the time of
// day. Never more than `cap`; a date that has passed means zero. nullopt for an empty or malformed value.
std::optional<Milliseconds> parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now,
                                              Milliseconds cap);

}  // namespace pgchat
