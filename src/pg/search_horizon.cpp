#include "pg/search_horizon.hpp"

#include <algorithm>

#include "pg/boundary.hpp"

extern "C" {
#include "datatype/timestamp.h"
#include "pgstat.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

// Ids are made after the statement has begun, but clocks of two cores may differ, and be set.
constexpr TimestampTz margin_us = 2 * USECS_PER_SEC;
// Where the server does not track activities, nobody knows when a transaction began.
constexpr TimestampTz untracked_us = 24 * 3600 * USECS_PER_SEC;

TimestampTz oldest_start() noexcept {
    TimestampTz oldest = GetCurrentTimestamp();
    if (!pgstat_track_activities) return oldest - untracked_us;
    pgstat_clear_backend_activity_snapshot();
    const int count = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= count; ++i) {
        const LocalPgBackendStatus* const local = pgstat_fetch_stat_local_beentry(i);
        if (local == nullptr) continue;
        const PgBackendStatus& backend = local->backendStatus;
        if (backend.st_procpid == MyProcPid || backend.st_databaseid != MyDatabaseId) continue;
        if (backend.st_xact_start_timestamp != 0) oldest = std::min(oldest, backend.st_xact_start_timestamp);
    }
    return oldest;
}

}  // namespace

Uuid search_horizon() {
    const TimestampTz start = call([] { return oldest_start(); }) - margin_us;
    const auto ms =
        static_cast<std::uint64_t>((start + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY) / 1000);
    Uuid horizon;
    for (unsigned i = 0; i < 6; ++i) horizon.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    return horizon;
}

}  // namespace pgchat::pg
