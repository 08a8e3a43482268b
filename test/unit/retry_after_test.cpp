// Retry-After in both forms, and what is neither.
#include "core/http/retry_after.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

using namespace std::chrono_literals;

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7.
const auto moment = std::chrono::system_clock::from_time_t(784111777);

TEST(RetryAfter, ReadsSeconds) {
    EXPECT_EQ(parse_retry_after("120", moment, 1h), 120s);
    EXPECT_EQ(parse_retry_after(" 0 ", moment, 1h), 0s);
    EXPECT_EQ(parse_retry_after("7200", moment, 1h), 1h);
    EXPECT_EQ(parse_retry_after("99999999999999999999", moment, 1h), 1h);
}

TEST(RetryAfter, ReadsTheThreeFormatsOfDates) {
    for (const char* date :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        EXPECT_EQ(parse_retry_after(date, moment - 90s, 1h), 90s) << date;
        EXPECT_EQ(parse_retry_after(date, moment - 90500ms, 1h), 91s) << date;
        EXPECT_EQ(parse_retry_after(date, moment - 2h, 1h), 1h) << date;
        EXPECT_EQ(parse_retry_after(date, moment + 1s, 1h), 0s) << date;
    }
}

TEST(RetryAfter, RefusesTheRest) {
    for (const char* value : {"", " ", "-1", "1.5", "soon", "12 s", "tomorrow", "Sun, 99 Foo 1994"})
        EXPECT_EQ(parse_retry_after(value, moment, 1h), std::nullopt) << value;
}

}  // namespace
}  // namespace pgchat
