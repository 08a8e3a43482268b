// A binary heap of absolute deadlines: thousands of streams each wait for their next token.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "clock.hpp"

namespace mock {

// The base of whatever waits for a deadline. It must be cancelled before it is destroyed.
class Timer {
public:
    Nanos deadline() const { return deadline_; }

private:
    friend class TimerHeap;
    static constexpr size_t kIdle = static_cast<size_t>(-1);
    Nanos deadline_ = kNever;
    size_t index_ = kIdle;
};

class TimerHeap {
public:
    // Arms `timer` for the absolute monotonic time `deadline`, replacing an earlier one; kNever cancels it.
    void set(Timer& timer, Nanos deadline) {
        if (deadline == kNever) return cancel(timer);
        timer.deadline_ = deadline;
        if (timer.index_ == Timer::kIdle) {
            timer.index_ = heap_.size();
            heap_.push_back(&timer);
        }
        sift_down(sift_up(timer.index_));
    }

    void cancel(Timer& timer) {
        if (timer.index_ == Timer::kIdle) return;
        const size_t hole = timer.index_;
        timer.index_ = Timer::kIdle;
        timer.deadline_ = kNever;
        Timer* last = heap_.back();
        heap_.pop_back();
        if (last == &timer) return;
        place(hole, last);
        sift_down(sift_up(hole));
    }

    // The earliest timer, or nullptr.
    Timer* first() const { return heap_.empty() ? nullptr : heap_.front(); }

private:
    void place(size_t index, Timer* timer) {
        heap_[index] = timer;
        timer->index_ = index;
    }

    size_t sift_up(size_t index) {
        Timer* timer = heap_[index];
        for (; index > 0; index = (index - 1) / 2) {
            Timer* parent = heap_[(index - 1) / 2];
            if (parent->deadline_ <= timer->deadline_) break;
            place(index, parent);
        }
        place(index, timer);
        return index;
    }

    void sift_down(size_t index) {
        Timer* timer = heap_[index];
        for (size_t child; (child = 2 * index + 1) < heap_.size(); index = child) {
            if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
            if (timer->deadline_ <= heap_[child]->deadline_) break;
            place(index, heap_[child]);
        }
        place(index, timer);
    }

    std::vector<Timer*> heap_;
};

}  // namespace mock
