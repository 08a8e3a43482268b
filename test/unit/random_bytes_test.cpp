// Random bytes fill exactly the span they are given.
#include "core/crypto/random_bytes.hpp"

#include <gtest/gtest.h>

#include <array>

namespace pgchat {
namespace {

TEST(RandomBytes, FillsTheSpanAndNothingElse) {
    std::array<std::uint8_t, 66> first{};
    std::array<std::uint8_t, 66> second{};
    random_bytes(std::span(first).subspan(1, 64));
    random_bytes(std::span(second).subspan(1, 64));
    EXPECT_NE(first, second);
    EXPECT_EQ(first.front(), 0);
    EXPECT_EQ(first.back(), 0);
    random_bytes({});
}

}  // namespace
}  // namespace pgchat
