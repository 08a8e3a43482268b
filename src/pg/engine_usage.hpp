// Keeps what is derived from usage events in order: the sums, and the partitions of the table.
#pragma once

#include "core/clock.hpp"

namespace pgchat::pg {

class EngineUsage {
public:
    explicit EngineUsage(const Clock& clock) : clock_(clock) {}

    // Usage was recorded, so that there is something to do soon.
    void note_recorded() noexcept { has_new_ = true; }
    // Does what is due, as much as one turn of the loop may. While there is more it takes a tenth of the time.
    void run();
    TimePoint next_run() const noexcept;

private:
    const Clock& clock_;
    // What an engine that ended has left is rolled up with the next event: nothing is touched in a database into which
    // a dump is being restored, which brings sums of its own.
    bool has_new_ = false;
    bool has_more_ = false;
    TimePoint next_rollup_{};
    TimePoint next_partition_check_{};
};

}  // namespace pgchat::pg
