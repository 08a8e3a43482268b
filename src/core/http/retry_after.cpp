// Retry-After in both its forms; the dates are read by libcurl, which knows all three formats of HTTP.
#include "core/http/retry_after.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace pgchat {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::chrono::seconds seconds_in(std::string_view digits) noexcept {
    std::int32_t count = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return std::chrono::seconds(result.ec == std::errc{} ? count : INT32_MAX);
}

}  // namespace

std::optional<Milliseconds> parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now,
                                              Milliseconds cap) {
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    if (value.empty()) return std::nullopt;
    if (std::all_of(value.begin(), value.end(), is_digit)) return std::min<Milliseconds>(seconds_in(value), cap);
    // Each of HTTP's dates begins with the day's name; libcurl alone would take far more for a date.
    if (value.front() < 'A' || value.front() > 'Z') return std::nullopt;
    const time_t date = curl_getdate(std::string(value).c_str(), nullptr);
    if (date == -1) return std::nullopt;
    const auto wait = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::from_time_t(date) - now);
    return std::clamp<Milliseconds>(wait, Milliseconds(0), cap);
}

}  // namespace pgchat
