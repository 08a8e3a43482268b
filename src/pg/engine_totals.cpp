#include "pg/engine_totals.hpp"

namespace pgchat::pg {

void publish_totals(EngineTotals& totals, const Engine& engine, std::size_t gated, std::size_t readers) noexcept {
    const EngineCounters& counters = engine.counters();
    pg_atomic_write_u64(&totals.in_flight, engine.in_flight());
    pg_atomic_write_u64(&totals.waiting, engine.waiting() + gated);
    pg_atomic_write_u64(&totals.readers, readers);
    pg_atomic_write_u64(&totals.submitted, counters.submitted);
    pg_atomic_write_u64(&totals.completed, counters.completed);
    pg_atomic_write_u64(&totals.failed, counters.failed);
    pg_atomic_write_u64(&totals.retried, counters.retried);
    pg_atomic_write_u64(&totals.refused_by_rate, counters.refused_by_rate);
    pg_atomic_write_u64(&totals.refused_by_concurrency, counters.refused_by_concurrency);
    pg_atomic_write_u64(&totals.refused_by_tokens, counters.refused_by_tokens);
    pg_atomic_write_u64(&totals.refused_by_budget, counters.refused_by_budget);
    pg_atomic_write_u64(&totals.suspended_providers, engine.admission().gates().suspended());
}

}  // namespace pgchat::pg
