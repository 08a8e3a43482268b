// Which texts are saved together, and after which of them there is a pause.
#include "core/engine/checkpoint_queue.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

class CheckpointQueueTest : public testing::Test {
protected:
    static Uuid call(int number) {
        Uuid id{};
        id.bytes[0] = static_cast<std::uint8_t>(number);
        return id;
    }
    void add(std::size_t calls) {
        for (std::size_t i = 0; i < calls; ++i) queue_.add(call(++added_), now_);
    }
    // As the engine does: up to one batch, which is saved. Returns how many there were.
    std::size_t save(bool is_committed = true) {
        std::size_t count = 0;
        while (count < CheckpointQueue::batch_size) {
            const std::optional<Uuid> taken = queue_.take(now_);
            if (!taken) break;
            EXPECT_EQ(*taken, call(++taken_)) << "in order";
            ++count;
        }
        if (count > 0) queue_.saved(now_, count, is_committed);
        return count;
    }

    CheckpointQueue queue_;
    TimePoint now_{std::chrono::hours(1)};
    int added_ = 0;
    int taken_ = 0;
};

TEST_F(CheckpointQueueTest, NothingIsTakenBeforeItsTime) {
    EXPECT_FALSE(queue_.next_run());
    queue_.add(call(1), now_ + Milliseconds{100});
    EXPECT_EQ(queue_.next_run(), now_ + Milliseconds{100});
    now_ += Milliseconds{99};
    EXPECT_EQ(save(), 0u);
    now_ += Milliseconds{1};
    EXPECT_EQ(save(), 1u);
    EXPECT_FALSE(queue_.next_run());
}

TEST_F(CheckpointQueueTest, WhatComesAfterAFewIsGathered) {
    add(3);
    EXPECT_EQ(save(), 3u);
    add(2);
    EXPECT_EQ(save(), 0u);
    EXPECT_EQ(queue_.next_run(), now_ + Milliseconds{20});
    now_ += Milliseconds{19};
    add(2);
    EXPECT_EQ(save(), 0u);
    now_ += Milliseconds{1};
    EXPECT_EQ(save(), 4u) << "together";
}

TEST_F(CheckpointQueueTest, AFullBatchIsFollowedByTheNextAtOnce) {
    add(2 * CheckpointQueue::batch_size + 1);
    for (int batch = 0; batch < 2; ++batch) {
        EXPECT_EQ(save(), CheckpointQueue::batch_size);
        EXPECT_EQ(queue_.next_run(), now_);
    }
    EXPECT_EQ(save(), 1u);
    add(1);
    EXPECT_EQ(save(), 0u) << "which was a partial one";
}

TEST_F(CheckpointQueueTest, AFailureIsFollowedByASecondOfRest) {
    add(CheckpointQueue::batch_size + 1);
    EXPECT_EQ(save(false), CheckpointQueue::batch_size);
    EXPECT_EQ(queue_.next_run(), now_ + Milliseconds{1000});
    now_ += Milliseconds{999};
    EXPECT_EQ(save(), 0u);
    now_ += Milliseconds{1};
    EXPECT_EQ(save(), 1u);
}

}  // namespace
}  // namespace pgchat
