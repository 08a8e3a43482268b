#include "core/engine/utc_period.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(UtcPeriodTest, DaysAndMonthsCountFrom1970) {
    EXPECT_EQ(utc_period(0).day, 0);
    EXPECT_EQ(utc_period(0).month, 0);
    EXPECT_EQ(utc_period(-1).day, -1);
    EXPECT_EQ(utc_period(-1).month, -1);
    EXPECT_EQ(utc_period(1'767'225'599).month, 671) << "2025-12-31 23:59:59";
    EXPECT_EQ(utc_period(1'767'225'600).month, 672) << "2026-01-01";
    EXPECT_EQ(utc_period(1'767'225'600).day, 20'454);
}

TEST(UtcPeriodTest, APeriodBeginsWhereTheOneBeforeEnds) {
    for (std::int64_t month = -30; month < 2'000; ++month) {
        const std::int64_t begin = month_begin(month);
        EXPECT_EQ(utc_period(begin).month, month);
        EXPECT_EQ(utc_period(begin - 1).month, month - 1);
        EXPECT_EQ(day_begin(utc_period(begin).day), begin);
    }
}

TEST(UtcPeriodTest, TextIsAsUsersReadIt) {
    EXPECT_EQ(utc_text(1'767'225'599), "2025-12-31 23:59:59 UTC");
    EXPECT_EQ(utc_text(951'782'400), "2000-02-29 00:00:00 UTC");
    EXPECT_EQ(utc_text(month_begin(673)), "2026-02-01 00:00:00 UTC");
}

}  // namespace
}  // namespace pgchat
