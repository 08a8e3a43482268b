// Runoffs: majorities, transfers, exhausted ballots, and ties that are followed in every order.
#include "core/voting/runoff.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

std::string winners(const Runoff& runoff) {
    std::string ids;
    for (std::size_t choice = 0; choice < runoff.standings.size(); ++choice)
        if (runoff.standings[choice].can_win) ids += static_cast<char>('a' + choice);
    return ids;
}

TEST(Runoff, AMajorityAtOnceEndsIt) {
    const Runoff runoff = run_off(3, {{0, 1}, {0}, {1}});
    EXPECT_EQ(winners(runoff), "a");
    ASSERT_EQ(runoff.counts.size(), 1U);
    EXPECT_EQ(runoff.counts[0].winner, 0U);
    EXPECT_TRUE(runoff.counts[0].last.empty());
}

TEST(Runoff, TransfersAndExhausts) {
    const Runoff runoff = run_off(3, {{0}, {0}, {0}, {1}, {1}, {2, 1}, {2}, {1}});
    ASSERT_EQ(runoff.counts.size(), 2U);
    EXPECT_EQ(runoff.counts[0].last, (std::vector<std::size_t>{2}));
    EXPECT_EQ(runoff.counts[1].exhausted, 1U);
    EXPECT_EQ(runoff.counts[1].votes[1], 4U);
    EXPECT_EQ(runoff.counts[1].votes[2], std::nullopt);
    EXPECT_EQ(winners(runoff), "b");
    EXPECT_EQ(runoff.standings[2].left, 3U);
    EXPECT_EQ(runoff.standings[2].votes, 2U);
    EXPECT_EQ(runoff.standings[0].left, 2U);
}

TEST(Runoff, ATieForTheFewestIsFollowedInEveryOrder) {
    EXPECT_EQ(winners(run_off(3, {{0}, {0}, {0}, {1, 2}, {1, 2}, {2, 1}, {2, 1}})), "bc");
    EXPECT_EQ(winners(run_off(3, {{0}, {0}, {0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}})), "a");
}

TEST(Runoff, AllAlikeCanAllWin) {
    EXPECT_EQ(winners(run_off(2, {{0}, {1}})), "ab");
    EXPECT_EQ(winners(run_off(3, {{0}, {1}, {2}})), "abc");
}

TEST(Runoff, WhoHasNoVoteLeavesAtOnce) {
    const Runoff runoff = run_off(5, {{0}, {0}, {1}, {1}});
    EXPECT_EQ(runoff.count_total, 2U);
    EXPECT_EQ(winners(runoff), "ab");
}

TEST(Runoff, WithoutBallotsNobodyWins) {
    EXPECT_EQ(winners(run_off(3, {})), "");
    EXPECT_EQ(winners(run_off(3, {{}})), "");
    EXPECT_TRUE(run_off(0, {}).standings.empty());
    EXPECT_EQ(winners(run_off(1, {{0}})), "a");
}

TEST(Runoff, TheWorstOfABoardOfTwelveIsBounded) {
    std::vector<Ballot> ballots;
    for (std::size_t voter = 0; voter < 12; ++voter) ballots.push_back({voter});
    const Runoff runoff = run_off(12, ballots);
    EXPECT_EQ(runoff.count_total, 4096U - 1 - 12);
    EXPECT_EQ(runoff.counts.size(), max_runoff_counts);
    EXPECT_EQ(winners(runoff).size(), 12U);
}

}  // namespace
}  // namespace pgchat
