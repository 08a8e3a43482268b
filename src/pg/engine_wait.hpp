// What the engine sleeps on: its latch, the network's descriptor, the end of the server.
#pragma once

#include "core/clock.hpp"
#include "pg/postgres.hpp"

struct WaitEventSet;

namespace pgchat::pg {

class EngineWait {
public:
    // `descriptor` is readable when the network has something to do.
    explicit EngineWait(int descriptor);

    // Sleeps until one of them, or `until`; then handles what the server asks of every process.
    void sleep(TimePoint now, TimePoint until);

private:
    WaitEventSet* set_;
    std::uint32_t event_;
};

}  // namespace pgchat::pg
