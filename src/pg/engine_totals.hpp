// The figures of the engine that chat.engine_status() shows, in shared memory.
#pragma once

#include "core/engine/engine.hpp"
#include "pg/shared_state.hpp"

namespace pgchat::pg {

// gated: requests that are claimed and not yet given to the engine.
void publish_totals(EngineTotals& totals, const Engine& engine, std::size_t gated, std::size_t readers) noexcept;

}  // namespace pgchat::pg
