// What the engine takes for its load.
#include "core/engine/load_meter.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

// Turns of 10 ms each, of which `work` are worked.
TimePoint pass_turns(LoadMeter& meter, TimePoint begin, int turns, Milliseconds work) {
    for (int i = 0; i < turns; ++i, begin += Milliseconds(10)) meter.slept(begin + work, begin + Milliseconds(10));
    return begin;
}

const TimePoint meter_start = TimePoint{} + std::chrono::hours(1);

TEST(LoadMeter, IsNothingAtFirst) {
    LoadMeter meter;
    EXPECT_EQ(meter.load(), 0);
}

TEST(LoadMeter, IsThePartOfTheTimeThatWasWorked) {
    LoadMeter meter;
    pass_turns(meter, meter_start, 200, Milliseconds(3));
    EXPECT_NEAR(meter.load(), 0.3, 0.02);
}

TEST(LoadMeter, RisesWithinHalfASecond) {
    LoadMeter meter;
    const TimePoint busy = pass_turns(meter, meter_start, 100, Milliseconds(0));
    pass_turns(meter, busy, 50, Milliseconds(10));
    EXPECT_GT(meter.load(), 0.8);
}

TEST(LoadMeter, FallsAsFast) {
    LoadMeter meter;
    const TimePoint idle = pass_turns(meter, meter_start, 100, Milliseconds(10));
    EXPECT_GT(meter.load(), 0.95);
    pass_turns(meter, idle, 50, Milliseconds(0));
    EXPECT_LT(meter.load(), 0.2);
}

TEST(LoadMeter, ForgetsWhatWasBeforeALongSleep) {
    LoadMeter meter;
    const TimePoint end = pass_turns(meter, meter_start, 100, Milliseconds(10));
    meter.slept(end, end + std::chrono::seconds(5));
    EXPECT_LT(meter.load(), 0.05);
}

TEST(LoadMeter, HasPatienceAboveHalfLoad) {
    LoadMeter meter;
    EXPECT_EQ(meter.patience(), 1);
    TimePoint now = pass_turns(meter, meter_start, 100, Milliseconds(5));
    EXPECT_NEAR(meter.patience(), 1, 0.02);
    now = pass_turns(meter, now, 200, Milliseconds(10));
    EXPECT_NEAR(meter.patience(), 1.6, 0.02);
}

TEST(LoadMeter, NeverExceedsOne) {
    LoadMeter meter;
    meter.slept(meter_start, meter_start);
    meter.slept(meter_start + std::chrono::seconds(1), meter_start + std::chrono::seconds(1));
    EXPECT_EQ(meter.load(), 1);
}

}  // namespace
}  // namespace pgchat
