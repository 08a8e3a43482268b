// An instant runoff in which nothing is left to chance: where several choices have the fewest votes, each order in
// which they could leave is followed, and all that win in any of them can win.
//
// "Parallel universes" of V. Conitzer, M. Rognlie and L. Xia, Preference Functions That Score Rankings and Maximum
// Likelihood Estimation, IJCAI 2009. What follows depends only on which choices are left, so each set of them is
// counted once: at most 2^n counts, n being the smaller of the numbers of choices and of ballots.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace pgchat {

// Choices are numbered from 0. A ballot has the best first and none twice; it counts for the first of them that is
// left, and is exhausted when none is.
using Ballot = std::vector<std::size_t>;

struct RunoffCount {
    std::vector<std::optional<std::size_t>> votes;  // by choice; nullopt: it has left
    std::size_t exhausted = 0;
    std::optional<std::size_t> winner;  // who has more than half of the ballots that are not exhausted
    std::vector<std::size_t> last;      // else who has the fewest
};

struct RunoffStanding {
    bool can_win = false;
    std::size_t left = 0;   // how many choices were left in the last count that it was in
    std::size_t votes = 0;  // those it had in that
};

struct Runoff {
    std::vector<RunoffCount> counts;  // the first max_runoff_counts of them, in the order in which they follow
    std::size_t count_total = 0;
    std::vector<RunoffStanding> standings;  // by choice
};

inline constexpr std::size_t max_runoff_counts = 100;

// Who has no vote leaves together with all others that have none, which changes no one else's votes. Two that are left
// with as many votes can both win. Without ballots there is no count, and nobody can win.
Runoff run_off(std::size_t choice_count, const std::vector<Ballot>& ballots);

}  // namespace pgchat
