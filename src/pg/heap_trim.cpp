#include "pg/heap_trim.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace pgchat::pg {
namespace {

// How long there must be no call: the next crowd would need the memory again.
constexpr Milliseconds quiet_time{1000};

}  // namespace

void HeapTrim::run(std::uint64_t calls, bool is_idle) noexcept {
    const TimePoint now = clock_.now();
    if (calls == trimmed_after_ || !is_idle) {
        due_ = now + quiet_time;
        return;
    }
    if (now < due_) return;
    trimmed_after_ = calls;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

std::optional<TimePoint> HeapTrim::next_run(std::uint64_t calls, bool is_idle) const noexcept {
    return calls != trimmed_after_ && is_idle ? std::optional(due_) : std::nullopt;
}

}  // namespace pgchat::pg
