#include "core/engine/identical_calls.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

using Numbers = std::vector<IdenticalCalls::Number>;

TEST(IdenticalCalls, TheFirstLeads) {
    IdenticalCalls calls;
    const Sha256Digest a = sha256("a"), b = sha256("b");
    EXPECT_TRUE(calls.join(a, 1));
    EXPECT_FALSE(calls.join(a, 2));
    EXPECT_TRUE(calls.join(b, 3));
    EXPECT_FALSE(calls.join(a, 4));
    EXPECT_EQ(calls.leave(a, 1), (Numbers{2, 4}));
    EXPECT_EQ(calls.leave(b, 3), Numbers{});
    EXPECT_TRUE(calls.empty());
}

TEST(IdenticalCalls, AFollowerThatGoesLeavesTheOthers) {
    IdenticalCalls calls;
    const Sha256Digest a = sha256("a");
    for (const IdenticalCalls::Number number : {1, 2, 3}) calls.join(a, number);
    EXPECT_EQ(calls.leave(a, 2), Numbers{});
    EXPECT_EQ(calls.leave(a, 1), Numbers{3});
    EXPECT_EQ(calls.leave(a, 3), Numbers{}) << "nobody leads any more";
    EXPECT_TRUE(calls.join(a, 4));
}

}  // namespace
}  // namespace pgchat
