// Holds claimed requests back until their claim is on disk, without stopping the engine for the disk.
//
// After a crash nobody may send again what was sent, so a claim must be flushed before its request goes out. A flush
// takes milliseconds in which no token would move; while streams run, the commits of other sessions mostly flush the
// claim along, so that the engine only looks whether that has happened.
#pragma once

#include <deque>
#include <vector>

#include "core/engine/call.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "access/xlogdefs.h"
}

namespace pgchat::pg {

class ClaimGate {
public:
    // Takes the requests of the transaction that has just committed, without a flush of its own.
    void add(std::vector<CallSpec> claimed, TimePoint now);
    // Those whose claim is on disk. Flushes what others have not flushed in time, or at once where `at_once`.
    std::vector<CallSpec> take(TimePoint now, bool at_once);

    // Requests that are held back.
    std::size_t size() const noexcept { return size_; }
    // When take() is to be called next; only meaningful where there are some.
    TimePoint next_look() const noexcept;

private:
    struct Claim {
        std::vector<CallSpec> requests;
        XLogRecPtr end;  // of its commit record
        TimePoint made;
    };

    std::deque<Claim> claims_;
    std::size_t size_ = 0;
};

}  // namespace pgchat::pg
