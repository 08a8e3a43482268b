// When the texts of live replies are saved to their message rows: those that become due at about the same time
// together, as a transaction costs more than a row; more than one transaction takes, one after the other without a
// pause.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "core/clock.hpp"
#include "core/uuid.hpp"

namespace pgchat {

class CheckpointQueue {
public:
    // Rows that one transaction may save, so that no stream waits for a long one.
    static constexpr std::size_t batch_size = 24;

    // The text of this call is to be saved when `at` has come. They are taken in the order in which they are added.
    void add(const Uuid& request_id, TimePoint at) { waiting_.push_back({at, request_id}); }
    // The next call whose text is to be saved now; nullopt: none. It is not in the queue any more.
    std::optional<Uuid> take(TimePoint now);
    // Tells that `count` texts, more than none, were taken at `now` and saved in one transaction, or that it failed.
    void saved(TimePoint now, std::size_t count, bool is_committed) noexcept;
    // When there is something to take; nullopt: nothing is waiting.
    std::optional<TimePoint> next_run() const noexcept;

private:
    struct Waiting {
        TimePoint at;
        Uuid request_id;
    };

    std::deque<Waiting> waiting_;
    TimePoint not_before_{};
};

}  // namespace pgchat
