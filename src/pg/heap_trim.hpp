// Gives memory back to the system that a crowd of calls has left free in pieces, once the crowd has gone.
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"

namespace pgchat::pg {

class HeapTrim {
public:
    explicit HeapTrim(const Clock& clock) : clock_(clock) {}

    // Looks how things are: how many calls there have been so far, and whether there is none now. Trims after a quiet
    // time.
    void run(std::uint64_t calls, bool is_idle) noexcept;
    // When run() has something to do; nullopt where it has not.
    std::optional<TimePoint> next_run(std::uint64_t calls, bool is_idle) const noexcept;

private:
    const Clock& clock_;
    TimePoint due_{};
    std::uint64_t trimmed_after_ = 0;  // calls there had been by then
};

}  // namespace pgchat::pg
