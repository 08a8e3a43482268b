// The heap against a plain list, under random moves.
#include "core/http/deadline_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace pgchat {
namespace {

TimePoint at(int milliseconds) {
    return TimePoint{} + Milliseconds(milliseconds);
}

TEST(DeadlineQueue, GivesTheEarliest) {
    DeadlineQueue queue;
    EXPECT_FALSE(queue.first().has_value());
    queue.set(3, at(30));
    queue.set(1, at(10));
    queue.set(2, at(20));
    EXPECT_EQ(queue.first()->slot, 1u);
    queue.set(1, at(40));
    EXPECT_EQ(queue.first()->slot, 2u);
    queue.set(3, at(5));
    EXPECT_EQ(queue.first()->time, at(5));
    queue.remove(3);
    queue.remove(3);
    queue.remove(99);
    EXPECT_EQ(queue.first()->slot, 2u);
    queue.remove(2);
    EXPECT_EQ(queue.first()->slot, 1u);
    queue.remove(1);
    EXPECT_FALSE(queue.first().has_value());
}

TEST(DeadlineQueue, AgreesWithAPlainListUnderRandomMoves) {
    DeadlineQueue queue;
    std::map<std::uint32_t, TimePoint> plain;
    std::mt19937 random(1);
    for (int step = 0; step < 20'000; ++step) {
        const std::uint32_t slot = random() % 64;
        if (random() % 3 == 0) {
            queue.remove(slot);
            plain.erase(slot);
        } else {
            const TimePoint time = at(static_cast<int>(random() % 1000));
            queue.set(slot, time);
            plain[slot] = time;
        }
        const auto first =
            std::min_element(plain.begin(), plain.end(), [](auto& a, auto& b) { return a.second < b.second; });
        ASSERT_EQ(queue.first().has_value(), !plain.empty());
        if (plain.empty()) continue;
        ASSERT_EQ(queue.first()->time, first->second);
        ASSERT_EQ(plain.at(queue.first()->slot), first->second);
    }
}

}  // namespace
}  // namespace pgchat
