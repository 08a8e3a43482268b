// Files messages for searches while the engine has time: finds users with many that are not filed, and files a slice of
// them at a time, with pauses, so that no stream waits for it.
#pragma once

#include <deque>

#include "core/clock.hpp"
#include "core/uuid.hpp"

namespace pgchat::pg {

class EngineSearch {
public:
    explicit EngineSearch(const Clock& clock) : clock_(clock) {}

    // Does what is due, one slice at most. `calls`: how many there have been so far; is_idle: none is under way; load:
    // the part of its time that the engine has worked lately. It takes half of the time once there was no call for a
    // second, a two hundredth of it while there are some, and a thousandth while they take most of the engine's time.
    void run(std::uint64_t calls, bool is_idle, double load);
    TimePoint next_run() const noexcept { return next_run_; }

private:
    void file_next();
    void look_further();

    const Clock& clock_;
    TimePoint next_run_{};
    std::uint64_t calls_seen_ = 0;
    TimePoint last_call_{};
    std::deque<Uuid> waiting_;  // users with something to file
    Uuid looked_to_;            // the round over all users is here
    Milliseconds round_cost_{0};
};

}  // namespace pgchat::pg
