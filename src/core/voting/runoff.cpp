// Sets of choices wait in the order in which they were reached, the larger ones first.
#include "core/voting/runoff.hpp"

#include <algorithm>
#include <deque>
#include <numeric>
#include <set>

namespace pgchat {
namespace {

using Remaining = std::vector<bool>;

RunoffCount count_votes(const Remaining& remaining, const std::vector<Ballot>& ballots) {
    RunoffCount count;
    count.votes.resize(remaining.size());
    for (std::size_t choice = 0; choice < remaining.size(); ++choice)
        if (remaining[choice]) count.votes[choice] = 0;
    for (const Ballot& ballot : ballots) {
        const auto first = std::find_if(ballot.begin(), ballot.end(), [&](std::size_t c) { return remaining[c]; });
        if (first == ballot.end())
            ++count.exhausted;
        else
            ++*count.votes[*first];
    }
    const std::size_t ballots_left = ballots.size() - count.exhausted;
    std::optional<std::size_t> fewest;
    for (std::size_t choice = 0; choice < remaining.size(); ++choice) {
        const auto& votes = count.votes[choice];
        if (!votes) continue;
        if (*votes * 2 > ballots_left) count.winner = choice;
        if (!fewest || *votes < *fewest) {
            fewest = votes;
            count.last.clear();
        }
        if (votes == fewest) count.last.push_back(choice);
    }
    if (count.winner) count.last.clear();
    return count;
}

// Keeps where each choice stood in the smallest set that it was in, and of sets of one size in the best.
void note_standings(Runoff& runoff, const RunoffCount& count, std::size_t left) {
    for (std::size_t choice = 0; choice < count.votes.size(); ++choice) {
        if (!count.votes[choice]) continue;
        RunoffStanding& standing = runoff.standings[choice];
        const std::size_t votes = *count.votes[choice];
        if (standing.left == 0 || left < standing.left) {
            standing.left = left;
            standing.votes = votes;
        } else if (left == standing.left) {
            standing.votes = std::max(standing.votes, votes);
        }
        if (count.winner ? *count.winner == choice : left == 2) standing.can_win = true;
    }
}

// The sets that can follow a count which decides nothing.
std::vector<Remaining> next_sets(const Remaining& remaining, const RunoffCount& count) {
    std::vector<Remaining> sets;
    if (*count.votes[count.last.front()] == 0) {
        sets.push_back(remaining);
        for (const std::size_t choice : count.last) sets.front()[choice] = false;
        return sets;
    }
    for (const std::size_t choice : count.last) {
        sets.push_back(remaining);
        sets.back()[choice] = false;
    }
    return sets;
}

}  // namespace

Runoff run_off(std::size_t choice_count, const std::vector<Ballot>& ballots) {
    Runoff runoff;
    runoff.standings.resize(choice_count);
    if (choice_count == 0 || std::all_of(ballots.begin(), ballots.end(), [](const Ballot& b) { return b.empty(); }))
        return runoff;
    std::deque<Remaining> pending{Remaining(choice_count, true)};
    std::set<Remaining> reached{pending.front()};
    for (; !pending.empty(); pending.pop_front()) {
        const Remaining& remaining = pending.front();
        const auto left = static_cast<std::size_t>(std::count(remaining.begin(), remaining.end(), true));
        RunoffCount count = count_votes(remaining, ballots);
        note_standings(runoff, count, left);
        if (!count.winner && left > 2)
            for (Remaining& next : next_sets(remaining, count))
                if (reached.insert(next).second) pending.push_back(std::move(next));
        ++runoff.count_total;
        if (runoff.counts.size() < max_runoff_counts) runoff.counts.push_back(std::move(count));
    }
    return runoff;
}

}  // namespace pgchat
