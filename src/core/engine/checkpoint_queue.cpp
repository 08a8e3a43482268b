#include "core/engine/checkpoint_queue.hpp"

#include <algorithm>

namespace pgchat {
namespace {

// How long texts that are to be saved gather.
constexpr Milliseconds gathering{20};
constexpr Milliseconds saving_retry_delay{1000};

}  // namespace

std::optional<Uuid> CheckpointQueue::take(TimePoint now) {
    if (now < not_before_ || waiting_.empty() || waiting_.front().at > now) return std::nullopt;
    const Uuid request_id = waiting_.front().request_id;
    waiting_.pop_front();
    return request_id;
}

void CheckpointQueue::saved(TimePoint now, std::size_t count, bool is_committed) noexcept {
    if (!is_committed)
        not_before_ = now + saving_retry_delay;
    else if (count < batch_size)
        not_before_ = now + gathering;
}

std::optional<TimePoint> CheckpointQueue::next_run() const noexcept {
    if (waiting_.empty()) return std::nullopt;
    return std::max(waiting_.front().at, not_before_);
}

}  // namespace pgchat
