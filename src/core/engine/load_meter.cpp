#include "core/engine/load_meter.hpp"

#include <algorithm>

namespace pgchat {
namespace {

constexpr Milliseconds window{125};
// What the window that has just ended counts for, the others being before it.
constexpr double newest_weight = 0.5;

constexpr double most_more = 0.6;

}  // namespace

double LoadMeter::patience() const noexcept {
    return 1 + most_more * std::max(0.0, load_ - heavy_load) / (1 - heavy_load);
}

void LoadMeter::slept(TimePoint from, TimePoint to) noexcept {
    if (last_ == TimePoint{}) since_ = last_ = from;
    worked_ += from - last_;
    last_ = to;
    const auto passed = to - since_;
    if (passed < window) return;
    const double part =
        std::clamp(std::chrono::duration<double>(worked_) / std::chrono::duration<double>(passed), 0.0, 1.0);
    load_ += newest_weight * (part - load_);
    if (passed >= 4 * window) load_ = part;
    since_ = to;
    worked_ = {};
}

}  // namespace pgchat
