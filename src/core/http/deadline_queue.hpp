// Which of many deadlines comes first, when each may move or vanish at any time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.hpp"

namespace pgchat {

// A binary heap with the place of each entry remembered. Entries are named by small numbers (slots), one deadline each.
class DeadlineQueue {
public:
    struct Entry {
        TimePoint time;
        std::uint32_t slot;
    };

    // Sets or moves a slot's deadline. O(log n).
    void set(std::uint32_t slot, TimePoint time);
    // Forgets a slot's deadline, if it has one. O(log n).
    void remove(std::uint32_t slot) noexcept;
    // The earliest deadline; nullopt when there is none. O(1).
    std::optional<Entry> first() const noexcept;

private:
    static constexpr std::uint32_t absent = UINT32_MAX;

    void place(std::uint32_t position, const Entry& entry) noexcept;
    void sift_up(std::uint32_t position) noexcept;
    void sift_down(std::uint32_t position) noexcept;

    std::vector<Entry> heap_;
    std::vector<std::uint32_t> positions_;  // by slot
};

}  // namespace pgchat
