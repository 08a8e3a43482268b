#include "pg/engine_usage.hpp"

#include <algorithm>

#include "pg/engine_store.hpp"

namespace pgchat::pg {
namespace {

// The tail that reports read beside the sums stays this short.
constexpr Milliseconds rollup_interval{5000};
constexpr Milliseconds shortest_rollup_pause{20};
// A pause within a round, as a multiple of what it follows: replies wait meanwhile, and the sums can.
constexpr int rollup_pause_factor = 9;
constexpr Milliseconds partition_interval{3'600'000};
constexpr Milliseconds partition_retry{10'000};
// The first event makes the first partitions, before the default one has much.
constexpr Milliseconds first_partition_delay{1000};

}  // namespace

void EngineUsage::run() {
    const TimePoint now = clock_.now();
    if (has_new_ && now >= next_rollup_) {
        const bool rolled_up = roll_up_usage(has_more_);
        has_new_ = has_more_ || !rolled_up;
        const TimePoint end = clock_.now();
        const auto spent = std::chrono::duration_cast<Milliseconds>(end - now);
        next_rollup_ =
            end + (has_more_ ? std::max(shortest_rollup_pause, spent * rollup_pause_factor) : rollup_interval);
        if (next_partition_check_ == TimePoint::max()) next_partition_check_ = now + first_partition_delay;
    }
    if (has_more_ || now < next_partition_check_) return;
    bool ready = false;
    const bool kept = keep_usage_partitions(ready);
    // Without any event there is nothing to do before the first.
    next_partition_check_ = !kept ? now + partition_retry : ready ? now + partition_interval : TimePoint::max();
}

TimePoint EngineUsage::next_run() const noexcept {
    return has_new_ ? std::min(next_rollup_, next_partition_check_) : next_partition_check_;
}

}  // namespace pgchat::pg
