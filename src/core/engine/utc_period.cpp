#include "core/engine/utc_period.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace pgchat {
namespace {

constexpr std::int64_t day_seconds = 86'400;

std::int64_t day_of(std::int64_t unix_seconds) noexcept {
    return (unix_seconds >= 0 ? unix_seconds : unix_seconds - (day_seconds - 1)) / day_seconds;
}

std::chrono::year_month_day date_of(std::int64_t day) noexcept {
    return std::chrono::sys_days(std::chrono::days(static_cast<int>(day)));
}

}  // namespace

UtcPeriod utc_period(std::int64_t unix_seconds) noexcept {
    const std::int64_t day = day_of(unix_seconds);
    const std::chrono::year_month_day date = date_of(day);
    return {day, (static_cast<int>(date.year()) - 1970) * 12 + static_cast<std::int64_t>(unsigned{date.month()}) - 1};
}

std::int64_t day_begin(std::int64_t day) noexcept {
    return day * day_seconds;
}

std::int64_t month_begin(std::int64_t month) noexcept {
    using namespace std::chrono;
    const sys_days first = year_month_day(year(1970) / January / 1) + months(static_cast<int>(month));
    return first.time_since_epoch().count() * day_seconds;
}

std::string utc_text(std::int64_t unix_seconds) {
    const std::int64_t day = day_of(unix_seconds);
    const std::int64_t second = unix_seconds - day_begin(day);
    const std::chrono::year_month_day date = date_of(day);
    std::array<char, 64> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                      unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(second / 3600),
                      static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
    return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace pgchat
