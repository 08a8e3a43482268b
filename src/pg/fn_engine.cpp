// SQL functions around the engine: its state, waking it, and cancelling or awaiting one of its calls.
#include "core/engine/frames.hpp"
#include "pg/convert.hpp"
#include "pg/engine_client.hpp"
#include "pg/lifecycle.hpp"
#include "pg/preload.hpp"
#include "pg/query_as.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/timestamp.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// A cancellation is answered in the engine's next turn.
constexpr std::chrono::milliseconds cancel_wait{5000};

const char* state_name(const EngineSlot* slot) noexcept {
    constexpr const char* names[] = {"none", "starting", "running", "stopping"};
    return slot == nullptr ? names[0] : names[pg_atomic_read_u32(&const_cast<EngineSlot*>(slot)->state)];
}

constexpr int status_columns = 11;

Datum status_row(FunctionCallInfo fcinfo) {
    EngineSlot* const slot = find_engine(MyDatabaseId);
    Datum values[status_columns] = {text_datum(state_name(slot))};
    bool nulls[status_columns] = {};
    if (slot != nullptr) {
        EngineTotals& totals = slot->totals;
        values[1] = Int32GetDatum(slot->pid);
        values[2] = TimestampTzGetDatum(static_cast<TimestampTz>(pg_atomic_read_u64(&totals.started_at)));
        pg_atomic_uint64* const counters[] = {&totals.in_flight, &totals.waiting, &totals.readers, &totals.submitted,
                                              &totals.completed, &totals.failed,  &totals.retried};
        for (int i = 0; i < 7; ++i)
            values[3 + i] = Int64GetDatum(static_cast<std::int64_t>(pg_atomic_read_u64(counters[i])));
    } else {
        for (int i = 1; i < 10; ++i) nulls[i] = true;
    }
    values[10] = query_as("pgchat_engine", "SELECT chat_private.queue_depth()");
    return call([&] {
        TupleDesc row_type;
        get_call_result_type(fcinfo, nullptr, &row_type);
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
    });
}

// The columns may be those of another version, too, but the first has always been the state.
Datum other_version_row(FunctionCallInfo fcinfo) {
    const Datum state = text_datum("wrong version");
    return call([&] {
        TupleDesc row_type;
        get_call_result_type(fcinfo, nullptr, &row_type);
        auto* const values = static_cast<Datum*>(palloc0(sizeof(Datum) * static_cast<std::size_t>(row_type->natts)));
        auto* const nulls = static_cast<bool*>(palloc0(sizeof(bool) * static_cast<std::size_t>(row_type->natts)));
        memset(nulls, true, static_cast<std::size_t>(row_type->natts));
        values[0] = state;
        nulls[0] = false;
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
    });
}

constexpr int figure_columns = 5;

Datum figures_row(FunctionCallInfo fcinfo) {
    EngineSlot* const slot = find_engine(MyDatabaseId);
    Datum values[figure_columns] = {};
    bool nulls[figure_columns] = {true, true, true, true, true};
    if (slot != nullptr) {
        EngineTotals& totals = slot->totals;
        pg_atomic_uint64* const counters[] = {&totals.refused_by_rate, &totals.refused_by_concurrency,
                                              &totals.refused_by_tokens, &totals.refused_by_budget,
                                              &totals.suspended_providers};
        for (int i = 0; i < figure_columns; ++i) {
            values[i] = Int64GetDatum(static_cast<std::int64_t>(pg_atomic_read_u64(counters[i])));
            nulls[i] = false;
        }
    }
    return call([&] {
        TupleDesc row_type;
        get_call_result_type(fcinfo, nullptr, &row_type);
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
    });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_engine_status);
PG_FUNCTION_INFO_V1(pgchat_engine_figures);
PG_FUNCTION_INFO_V1(pgchat_wake_engine);
PG_FUNCTION_INFO_V1(pgchat_catalog_changed);
PG_FUNCTION_INFO_V1(pgchat_accounts_changed);
PG_FUNCTION_INFO_V1(pgchat_cancel_call);
PG_FUNCTION_INFO_V1(pgchat_wait_request);

Datum pgchat_engine_status(PG_FUNCTION_ARGS) {
    return bare_entry([&] {
        require_preloaded();
        return other_sql_version() ? other_version_row(fcinfo) : status_row(fcinfo);
    });
}

Datum pgchat_engine_figures(PG_FUNCTION_ARGS) {
    return entry([&] {
        require_preloaded();
        return figures_row(fcinfo);
    });
}

Datum pgchat_wake_engine(PG_FUNCTION_ARGS) {
    return entry([&] {
        wake_engine_at_commit();
        return Datum{0};
    });
}

Datum pgchat_catalog_changed(PG_FUNCTION_ARGS) {
    return entry([&] {
        reload_catalog_at_commit();
        return Datum{0};
    });
}

Datum pgchat_accounts_changed(PG_FUNCTION_ARGS) {
    return entry([&] {
        reload_accounts_at_commit();
        return Datum{0};
    });
}

Datum pgchat_cancel_call(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const Uuid user = args.uuid_at(0), request = args.uuid_at(1);
        const auto write = [&](std::uint32_t number) {
            return FrameWriter(RequestKind::cancel, number).uuid(user).uuid(request).take();
        };
        return BoolGetDatum(ask_engine(write, cancel_wait));
    });
}

Datum pgchat_wait_request(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const Uuid user = args.uuid_at(0), request = args.uuid_at(1);
        const auto write = [&](std::uint32_t number) {
            return FrameWriter(RequestKind::wait, number).uuid(user).uuid(request).take();
        };
        return BoolGetDatum(ask_engine(write, std::chrono::milliseconds(args.int32_at(2, 0))));
    });
}

}  // extern "C"
