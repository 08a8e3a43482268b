#include "core/engine/fair_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "support/fake_calls.hpp"

namespace pgchat {
namespace {

using Tickets = std::vector<FairQueue::Ticket>;

const Uuid alice = numbered_uuid(1), bob = numbered_uuid(2), carol = numbered_uuid(3);

Tickets drain(FairQueue& queue) {
    Tickets order;
    while (const auto ticket = queue.front()) {
        order.push_back(*ticket);
        queue.pop();
    }
    return order;
}

TEST(FairQueue, OneUserGoesInOrder) {
    FairQueue queue;
    EXPECT_EQ(queue.front(), std::nullopt);
    for (const FairQueue::Ticket ticket : {3, 1, 2}) queue.push("acme", alice, ticket);
    EXPECT_EQ(queue.size(), 3u);
    EXPECT_EQ(drain(queue), (Tickets{1, 2, 3}));
    EXPECT_EQ(queue.size(), 0u);
}

TEST(FairQueue, AThousandOfOneDelayTheFirstOfAnotherByOne) {
    FairQueue queue;
    for (FairQueue::Ticket ticket = 1; ticket <= 1000; ++ticket) queue.push("acme", alice, ticket);
    queue.pop();
    queue.push("acme", bob, 1001);
    queue.push("acme", carol, 1002);
    queue.push("acme", bob, 1003);
    Tickets order = drain(queue);
    order.resize(6);
    EXPECT_EQ(order, (Tickets{2, 1001, 1002, 3, 1003, 4}));
}

TEST(FairQueue, ProvidersTakeTurns) {
    FairQueue queue;
    queue.push("acme", alice, 1);
    queue.push("acme", bob, 2);
    queue.push("acme", alice, 3);
    queue.push("zeta", alice, 4);
    queue.push("zeta", alice, 5);
    EXPECT_EQ(drain(queue), (Tickets{1, 4, 2, 5, 3}));
}

TEST(FairQueue, AProviderOnHoldHoldsUpNobodyElse) {
    FairQueue queue;
    queue.push("acme", alice, 1);
    queue.push("acme", bob, 2);
    queue.push("zeta", bob, 3);
    queue.hold("acme");
    queue.hold("acme");
    EXPECT_EQ(queue.ready(), 1u);
    EXPECT_EQ(queue.waiting_for("acme"), 2u);
    queue.push("acme", carol, 4);
    EXPECT_EQ(drain(queue), (Tickets{3}));
    EXPECT_EQ(queue.size(), 3u);
    queue.release("acme");
    EXPECT_EQ(queue.ready(), 3u);
    EXPECT_EQ(drain(queue), (Tickets{1, 2, 4}));
}

TEST(FairQueue, AHoldIsForgottenWithTheLastTicket) {
    FairQueue queue;
    queue.hold("acme");
    queue.push("acme", alice, 1);
    EXPECT_EQ(queue.front(), 1u) << "nothing waited, so nothing was held";
    queue.hold("acme");
    EXPECT_TRUE(queue.erase(1));
    EXPECT_FALSE(queue.erase(1));
    queue.push("acme", alice, 2);
    EXPECT_EQ(queue.front(), 2u);
    EXPECT_EQ(queue.ready(), 1u);
}

TEST(FairQueue, WhatLeavesUsesUpNoTurn) {
    FairQueue queue;
    for (const FairQueue::Ticket ticket : {1, 2, 3}) queue.push("acme", alice, ticket);
    queue.push("acme", bob, 4);
    queue.erase(1);
    EXPECT_EQ(drain(queue), (Tickets{2, 4, 3}));
}

// The queue against a plain list of what waits.
class FairQueueModel {
public:
    void step() {
        const std::string provider(1, static_cast<char>('a' + pick(3)));
        switch (pick(8)) {
            case 0:
                if (queue_.waiting_for(provider) > 0) held_.insert(provider);
                queue_.hold(provider);
                break;
            case 1:
                held_.erase(provider);
                queue_.release(provider);
                break;
            case 2:
                erase_any();
                break;
            case 3:
            case 4:
                take_front();
                break;
            default:
                ++last_;
                waiting_[last_] = {provider, numbered_uuid(pick(5))};
                queue_.push(provider, waiting_[last_].second, last_);
        }
    }

    void check() const {
        std::size_t ready = 0;
        for (const auto& [ticket, what] : waiting_) ready += !held_.contains(what.first);
        ASSERT_EQ(queue_.size(), waiting_.size());
        ASSERT_EQ(queue_.ready(), ready);
        ASSERT_EQ(queue_.front().has_value(), ready > 0);
    }

private:
    unsigned pick(std::size_t below) { return static_cast<unsigned>(random_() % below); }

    void erase_any() {
        if (waiting_.empty()) return;
        auto leaving = waiting_.begin();
        std::advance(leaving, pick(waiting_.size()));
        EXPECT_TRUE(queue_.erase(leaving->first));
        remove(leaving->first);
    }

    void take_front() {
        const auto front = queue_.front();
        if (!front) return;
        const auto taken = waiting_.at(*front);
        EXPECT_FALSE(held_.contains(taken.first));
        for (const auto& [ticket, what] : waiting_) {
            if (what != taken) continue;
            EXPECT_EQ(ticket, *front) << "the oldest of its user";
            break;
        }
        queue_.pop();
        remove(*front);
    }

    void remove(FairQueue::Ticket ticket) {
        const std::string provider = waiting_.at(ticket).first;
        waiting_.erase(ticket);
        if (queue_.waiting_for(provider) == 0) held_.erase(provider);
    }

    std::mt19937 random_{7};
    FairQueue queue_;
    std::map<FairQueue::Ticket, std::pair<std::string, Uuid>> waiting_;
    std::set<std::string> held_;
    FairQueue::Ticket last_ = 0;
};

TEST(FairQueue, LosesNothingUnderRandomUse) {
    FairQueueModel model;
    for (int i = 0; i < 50'000 && !testing::Test::HasFatalFailure(); ++i) {
        model.step();
        model.check();
    }
}

}  // namespace
}  // namespace pgchat
