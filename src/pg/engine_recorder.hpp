// Brings the outcome of calls into the database: durable ones at once, the usage of immediate ones together a little
// later, and what meets a lock or fails again after a while.
#pragma once

#include <functional>
#include <vector>

#include "core/clock.hpp"
#include "pg/engine_store.hpp"

namespace pgchat::pg {

class EngineRecorder {
public:
    // Told of each call once its outcome is recorded, or given up.
    using Recorded = std::function<void(const FinishedCall& finished)>;

    EngineRecorder(const Clock& clock, Recorded on_recorded) : clock_(clock), on_recorded_(std::move(on_recorded)) {}

    void add_durable(FinishedCall finished) { durable_.push_back(std::move(finished)); }
    void add_usage(FinishedCall finished) { usage_.push_back(std::move(finished)); }

    // Records what is due, as much as one turn of the loop may.
    void run();
    // Records, or gives up, all there is.
    void finish();

    // When there is something to record; nullopt: nothing is waiting.
    std::optional<TimePoint> next_run() const;

private:
    void record_batch(std::vector<FinishedCall>& batch);
    void defer(FinishedCall finished, Milliseconds delay);
    void take_deferred();

    const Clock& clock_;
    Recorded on_recorded_;
    TimePoint next_usage_write_{};
    std::vector<FinishedCall> durable_;
    std::vector<FinishedCall> usage_;
    std::vector<FinishedCall> deferred_;  // could not be recorded, to be tried again
};

}  // namespace pgchat::pg
