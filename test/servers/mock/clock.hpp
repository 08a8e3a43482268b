// Time as the mock counts it: nanoseconds, monotonic for deadlines, real time for what is compared with other
// processes.
#pragma once

#include <time.h>

#include <cstdint>

namespace mock {

using Nanos = int64_t;

inline constexpr Nanos kNever = INT64_MAX;
inline constexpr Nanos kSecond = 1'000'000'000;

inline Nanos read_clock(clockid_t id) {
    timespec t{};
    clock_gettime(id, &t);
    return t.tv_sec * kSecond + t.tv_nsec;
}
inline Nanos monotonic_now() {
    return read_clock(CLOCK_MONOTONIC);
}
inline Nanos real_now() {
    return read_clock(CLOCK_REALTIME);
}
inline Nanos from_ms(double ms) {
    return static_cast<Nanos>(ms * 1e6);
}

}  // namespace mock
