// The engine process: takes its place among the engines, serves, and leaves the place as it found it.
#include <sys/resource.h>

#include <algorithm>

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/engine_transaction.hpp"
#include "pg/engine_worker.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/ps_status.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

// The slot this process has taken; its doorbells and flags are those of no one before.
EngineSlot* take_slot() noexcept {
    EngineSlot* taken = nullptr;
    LWLockAcquire(shared->lock, LW_EXCLUSIVE);
    if (find_engine(MyDatabaseId) == nullptr)
        for (int i = 0; taken == nullptr && i < shared->slot_count; ++i)
            if (shared->slots[i].pid == 0) taken = &shared->slots[i];
    if (taken != nullptr) {
        for (pg_atomic_uint64* total = &taken->totals.in_flight; total <= &taken->totals.started_at; ++total)
            pg_atomic_write_u64(total, 0);
        pg_atomic_write_u64(&taken->totals.started_at, static_cast<std::uint64_t>(GetCurrentTimestamp()));
        take_doorbells(*taken, [](int) {});
        pg_atomic_write_u32(&taken->wake, 0);
        pg_atomic_write_u64(&taken->sealed_with, 0);
        pg_atomic_write_u32(&taken->state, static_cast<std::uint32_t>(EngineState::starting));
        pg_atomic_fetch_add_u64(&taken->generation, 1);
        taken->database = MyDatabaseId;
        taken->latch = MyLatch;
        taken->pid = MyProcPid;
    }
    LWLockRelease(shared->lock);
    return taken;
}

void leave_slot(int, Datum slot_address) noexcept {
    auto* const slot = reinterpret_cast<EngineSlot*>(DatumGetPointer(slot_address));
    LWLockAcquire(shared->lock, LW_EXCLUSIVE);
    const bool others_may_wait = std::all_of(shared->slots, shared->slots + shared->slot_count,
                                             [](const EngineSlot& any) { return any.pid != 0; });
    slot->pid = 0;
    slot->latch = nullptr;
    slot->database = InvalidOid;
    pg_atomic_write_u32(&slot->state, static_cast<std::uint32_t>(EngineState::none));
    LWLockRelease(shared->lock);
    if (others_may_wait) wake_launcher();
}

// Tells the launcher not to start this database's engine again before something changes.
void mark_unwanted() noexcept {
    LWLockAcquire(shared->lock, LW_EXCLUSIVE);
    for (int i = 0; i < shared->slot_count; ++i)
        if (shared->unwanted[i] == InvalidOid) {
            shared->unwanted[i] = MyDatabaseId;
            break;
        }
    LWLockRelease(shared->lock);
}

// One descriptor a call, and the server's own limit for others is far below that of the system.
void raise_descriptor_limit() noexcept {
    rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void set_parameters() {
    call([] {
        SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
        // Somebody's lock on a table must not hold up the streams; what failed is tried again.
        SetConfigOption("lock_timeout", "20", PGC_SUSET, PGC_S_OVERRIDE);
        SetConfigOption("jit", "off", PGC_SUSET, PGC_S_OVERRIDE);
        SetConfigOption("application_name", "pgchat engine", PGC_USERSET, PGC_S_OVERRIDE);
    });
}

void serve() {
    set_parameters();
    const Served served = extension_served();
    if (served == Served::no) mark_unwanted();
    // Where it is not known the launcher begins anew, as after any failure.
    if (served != Served::yes) return;
    EngineSlot* const slot = take_slot();
    if (slot == nullptr) {
        mark_unwanted();
        call([] {
            ereport(LOG, (errmsg("no place for %s", MyBgworkerEntry->bgw_name), errhint("Raise pgchat.max_engines.")));
        });
        return;
    }
    call([&] { before_shmem_exit(leave_slot, PointerGetDatum(slot)); });
    raise_descriptor_limit();
    EngineWorker(*slot).run();
}

}  // namespace
}  // namespace pgchat::pg

extern "C" {

PGDLLEXPORT void pgchat_engine_main(Datum database);

void pgchat_engine_main(Datum database) {
    using namespace pgchat::pg;
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    bare_entry([&] {
        call([&] { BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0); });
        serve();
        return Datum{0};
    });
    proc_exit(0);
}

}  // extern "C"
