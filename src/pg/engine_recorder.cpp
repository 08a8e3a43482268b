#include "pg/engine_recorder.hpp"

#include <algorithm>
#include <iterator>

#include "pg/engine_transaction.hpp"

namespace pgchat::pg {
namespace {

// Rows of one transaction, so that no stream waits for a long one.
constexpr std::size_t recorder_batch = 200;
// How long the usage of immediate calls may stay in memory, to be written together.
constexpr Milliseconds usage_interval{50};
constexpr Milliseconds recording_retry_delay{1000};
constexpr Milliseconds busy_retry_delay{50};
constexpr int most_recording_failures = 5;
constexpr int most_failures_in_a_row = 3;

}  // namespace

bool EngineRecorder::run() {
    take_deferred();
    bool has_recorded = !durable_.empty();
    if (has_recorded) record_batch(durable_);
    const TimePoint now = clock_.now();
    if (usage_.empty()) {
        next_usage_write_ = now + usage_interval;
    } else if (now >= next_usage_write_ || usage_.size() >= recorder_batch) {
        next_usage_write_ = now + usage_interval;
        record_batch(usage_);
        has_recorded = true;
    }
    return has_recorded;
}

void EngineRecorder::finish() {
    // What one transaction puts off, the next one may take.
    std::size_t left;
    do {
        left = durable_.size() + deferred_.size();
        std::move(deferred_.begin(), deferred_.end(), std::back_inserter(durable_));
        deferred_.clear();
        while (!durable_.empty()) record_batch(durable_);
    } while (deferred_.size() < left);
    while (!usage_.empty()) record_batch(usage_);
}

std::optional<TimePoint> EngineRecorder::next_run() const {
    if (!durable_.empty()) return clock_.now();
    std::optional<TimePoint> next;
    if (!usage_.empty()) next = next_usage_write_;
    for (const FinishedCall& finished : deferred_)
        if (!next || finished.not_before < *next) next = finished.not_before;
    return next;
}

// Records as many as one turn may. Rows that somebody holds locked are left for later. A batch that fails is tried one
// by one, so that a single row cannot hold up the others; where the first few fail too, it is not the rows.
void EngineRecorder::record_batch(std::vector<FinishedCall>& batch) {
    const std::size_t size = std::min(batch.size(), recorder_batch);
    std::vector<FinishedCall> part(std::make_move_iterator(batch.begin()),
                                   std::make_move_iterator(batch.begin() + static_cast<std::ptrdiff_t>(size)));
    batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(size));
    std::vector<FinishedCall*> calls;
    for (FinishedCall& finished : part) calls.push_back(&finished);
    std::vector<Uuid> busy;
    Outcome outcome = record_finished(calls, busy);
    const bool whole = outcome == Outcome::committed;
    int failed_in_a_row = 0;
    for (FinishedCall& finished : part) {
        if (!whole && failed_in_a_row < most_failures_in_a_row) {
            outcome = record_finished({&finished}, busy);
            failed_in_a_row = outcome == Outcome::committed ? 0 : failed_in_a_row + 1;
            // A lock goes some day; what fails for itself is given up.
            if (outcome == Outcome::failed) ++finished.failures;
        }
        const bool is_busy = std::find(busy.begin(), busy.end(), finished.request_id) != busy.end();
        if (is_busy)
            defer(std::move(finished), busy_retry_delay);
        else if (outcome != Outcome::committed && finished.failures < most_recording_failures)
            defer(std::move(finished), recording_retry_delay);
        else
            on_recorded_(finished);
    }
}

void EngineRecorder::defer(FinishedCall finished, Milliseconds delay) {
    finished.not_before = clock_.now() + delay;
    deferred_.push_back(std::move(finished));
}

void EngineRecorder::take_deferred() {
    const TimePoint now = clock_.now();
    for (std::size_t i = 0; i < deferred_.size();) {
        if (deferred_[i].not_before > now) {
            ++i;
            continue;
        }
        durable_.push_back(std::move(deferred_[i]));
        deferred_[i] = std::move(deferred_.back());
        deferred_.pop_back();
    }
}

}  // namespace pgchat::pg
