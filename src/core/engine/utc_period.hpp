// Days and months of UTC, which limits are counted by and begin anew with.
#pragma once

#include <cstdint>
#include <string>

namespace pgchat {

// Both counted from 1970 on.
struct UtcPeriod {
    std::int64_t day = 0;
    std::int64_t month = 0;
};

UtcPeriod utc_period(std::int64_t unix_seconds) noexcept;

// When a day, or a month, begins, in seconds since 1970.
std::int64_t day_begin(std::int64_t day) noexcept;
std::int64_t month_begin(std::int64_t month) noexcept;

// As users read it: "2026-08-01 00:00:00 UTC".
std::string utc_text(std::int64_t unix_seconds);

}  // namespace pgchat
