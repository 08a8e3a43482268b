// How much of its time a loop has worked lately, so that what can wait does so while there is much to do.
#pragma once

#include "core/clock.hpp"

namespace pgchat {

// From this part of its time on a loop is taken to be busy, and what can wait does.
inline constexpr double heavy_load = 0.5;

class LoadMeter {
public:
    // The loop has slept from `from` to `to`, and worked since the last such call. `to` does not go back.
    void slept(TimePoint from, TimePoint to) noexcept;
    // The part of the time that was worked, from 0 (idle) to 1, of about the last quarter of a second.
    double load() const noexcept { return load_; }
    // How many times longer what can wait should wait: 1 up to heavy_load, and more above, to 1.6 at all of it.
    // Streams rest longer between reads then: what they have in common with new requests is the time of the loop.
    double patience() const noexcept;

private:
    TimePoint since_{};
    TimePoint::duration worked_{};
    TimePoint last_{};
    double load_ = 0;
};

}  // namespace pgchat
