// The heap behind the time-outs of all calls.
#include "core/http/deadline_queue.hpp"

namespace pgchat {

void DeadlineQueue::place(std::uint32_t position, const Entry& entry) noexcept {
    heap_[position] = entry;
    positions_[entry.slot] = position;
}

void DeadlineQueue::sift_up(std::uint32_t position) noexcept {
    const Entry entry = heap_[position];
    while (position > 0) {
        const std::uint32_t parent = (position - 1) / 2;
        if (heap_[parent].time <= entry.time) break;
        place(position, heap_[parent]);
        position = parent;
    }
    place(position, entry);
}

void DeadlineQueue::sift_down(std::uint32_t position) noexcept {
    const Entry entry = heap_[position];
    const auto size = static_cast<std::uint32_t>(heap_.size());
    while (true) {
        std::uint32_t child = 2 * position + 1;
        if (child >= size) break;
        if (child + 1 < size && heap_[child + 1].time < heap_[child].time) ++child;
        if (entry.time <= heap_[child].time) break;
        place(position, heap_[child]);
        position = child;
    }
    place(position, entry);
}

void DeadlineQueue::set(std::uint32_t slot, TimePoint time) {
    if (slot >= positions_.size()) positions_.resize(slot + 1, absent);
    std::uint32_t position = positions_[slot];
    if (position == absent) {
        position = static_cast<std::uint32_t>(heap_.size());
        heap_.push_back({time, slot});
        sift_up(position);
        return;
    }
    const bool earlier = time < heap_[position].time;
    heap_[position].time = time;
    earlier ? sift_up(position) : sift_down(position);
}

void DeadlineQueue::remove(std::uint32_t slot) noexcept {
    if (slot >= positions_.size() || positions_[slot] == absent) return;
    const std::uint32_t position = positions_[slot];
    positions_[slot] = absent;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (position == heap_.size()) return;
    place(position, last);
    sift_up(position);
    sift_down(positions_[last.slot]);
}

std::optional<DeadlineQueue::Entry> DeadlineQueue::first() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return heap_.front();
}

}  // namespace pgchat
