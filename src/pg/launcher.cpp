#include "pg/launcher.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace pgchat::pg {
namespace {

// How soon an engine that has ended is started again, and how often all databases are looked at without being asked.
constexpr Milliseconds restart_delay{1000};
constexpr Milliseconds scan_interval{60'000};

// What the launcher knows of one database.
struct Database {
    Oid oid;
    std::string name;
    BackgroundWorkerHandle* handle = nullptr;  // of its last engine; null before the first
    bool has_ended = false;                    // and needs no restart unless someone asks
    bool was_asked = false;                    // while the engine of the handle was there
    bool has_no_worker = false;                // which the log says once
    TimePoint not_before{};
};

// Connectable databases that are not templates.
std::vector<Database> list_databases() {
    std::vector<Database> found;
    found.reserve(64);
    call([] {
        SetCurrentStatementStartTimestamp();
        StartTransactionCommand();
        GetTransactionSnapshot();
    });
    Relation relation = nullptr;
    TableScanDesc scan = nullptr;
    call([&] {
        relation = table_open(DatabaseRelationId, AccessShareLock);
        scan = table_beginscan_catalog(relation, 0, nullptr);
    });
    while (HeapTuple const tuple = call([&] { return heap_getnext(scan, ForwardScanDirection); })) {
        auto* const form = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
        if (form->datallowconn && !form->datistemplate) found.push_back({form->oid, NameStr(form->datname)});
    }
    call([&] {
        table_endscan(scan);
        table_close(relation, AccessShareLock);
        CommitTransactionCommand();
    });
    return found;
}

// Some process keeps engines out of the database while it drops, renames or copies it.
bool is_held(Oid database) noexcept {
    return std::any_of(shared->holds, shared->holds + shared->client_count, [&](Oid held) { return held == database; });
}

class Launcher {
public:
    void run() {
        while (!ShutdownRequestPending) {
            const bool asked = pg_atomic_exchange_u32(&shared->rescan, 0) != 0;
            const TimePoint now = SteadyClock().now();
            if (asked || now >= next_scan_) {
                refresh(asked);
                next_scan_ = now + scan_interval;
            }
            bool restart_pending = false;
            for (Database& database : databases_) restart_pending |= tend(database, now);
            sleep(restart_pending ? restart_delay : scan_interval);
        }
    }

private:
    void refresh(bool asked) {
        const std::vector<Database> present = list_databases();
        const auto find = [](auto& databases, Oid oid) {
            return std::find_if(databases.begin(), databases.end(),
                                [&](const Database& database) { return database.oid == oid; });
        };
        std::erase_if(databases_,
                      [&](const Database& database) { return find(present, database.oid) == present.end(); });
        for (const Database& database : present) {
            const auto known = find(databases_, database.oid);
            if (known == databases_.end()) {
                databases_.push_back(database);
                continue;
            }
            known->name = database.name;
            if (asked) {
                known->has_ended = false;
                known->was_asked = known->handle != nullptr;
                known->not_before = {};
            }
        }
    }

    // Starts the database's engine where it should have one. True when it must be looked at again soon.
    bool tend(Database& database, TimePoint now) {
        if (database.has_ended) return false;
        if (database.handle != nullptr) {
            pid_t pid;
            const BgwHandleStatus status = GetBackgroundWorkerPid(database.handle, &pid);
            if (status == BGWH_STARTED || status == BGWH_NOT_YET_STARTED) return false;
            pfree(database.handle);
            database.handle = nullptr;
            database.not_before = now + restart_delay;
            // An engine that found no extension says so by leaving its mark; one that failed is tried again. So is one
            // that may have looked before the extension was there.
            const bool was_asked = std::exchange(database.was_asked, false);
            if (was_unwanted(database.oid)) {
                database.has_ended = !was_asked;
                database.not_before = {};
            }
            if (database.has_ended) return false;
        }
        if (is_held(database.oid) || find_engine(database.oid) != nullptr || now < database.not_before) return true;
        start(database, now);
        return database.handle == nullptr;
    }

    bool was_unwanted(Oid oid) noexcept {
        for (int i = 0; i < shared->slot_count; ++i)
            if (shared->unwanted[i] == oid) {
                shared->unwanted[i] = InvalidOid;
                return true;
            }
        return false;
    }

    void start(Database& database, TimePoint now) {
        call([&] {
            BackgroundWorker worker;
            MemSet(&worker, 0, sizeof worker);
            snprintf(worker.bgw_name, BGW_MAXLEN, "pgchat engine for %s", database.name.c_str());
            strlcpy(worker.bgw_type, "pgchat engine", BGW_MAXLEN);
            worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
            worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
            worker.bgw_restart_time = BGW_NEVER_RESTART;
            worker.bgw_main_arg = ObjectIdGetDatum(database.oid);
            worker.bgw_notify_pid = MyProcPid;
            strlcpy(worker.bgw_library_name, "pgchat", BGW_MAXLEN);
            strlcpy(worker.bgw_function_name, "pgchat_engine_main", BGW_MAXLEN);
            MemoryContext const context = MemoryContextSwitchTo(TopMemoryContext);
            const bool was_known = database.has_no_worker;
            database.has_no_worker = !RegisterDynamicBackgroundWorker(&worker, &database.handle);
            if (database.has_no_worker) database.handle = nullptr;
            if (database.has_no_worker && !was_known)
                ereport(LOG, (errmsg("pgchat: no background worker is free for the engine of database \"%s\"",
                                     database.name.c_str()),
                              errhint("Raise max_worker_processes.")));
            MemoryContextSwitchTo(context);
        });
        database.not_before = now + restart_delay;
    }

    void sleep(Milliseconds time) {
        call([&] {
            WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, static_cast<long>(time.count()),
                      event_);
            ResetLatch(MyLatch);
            CHECK_FOR_INTERRUPTS();
            if (ConfigReloadPending) {
                ConfigReloadPending = false;
                ProcessConfigFile(PGC_SIGHUP);
            }
        });
    }

    std::vector<Database> databases_;
    TimePoint next_scan_{};
    std::uint32_t event_ = wait_event("PgchatLauncherMain");
};

void leave(int, Datum) noexcept {
    shared->launcher_latch = nullptr;
}

}  // namespace

void register_launcher() noexcept {
    BackgroundWorker worker;
    MemSet(&worker, 0, sizeof worker);
    strlcpy(worker.bgw_name, "pgchat launcher", BGW_MAXLEN);
    strlcpy(worker.bgw_type, "pgchat launcher", BGW_MAXLEN);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = 1;
    strlcpy(worker.bgw_library_name, "pgchat", BGW_MAXLEN);
    strlcpy(worker.bgw_function_name, "pgchat_launcher_main", BGW_MAXLEN);
    RegisterBackgroundWorker(&worker);
}

}  // namespace pgchat::pg

extern "C" {

PGDLLEXPORT void pgchat_launcher_main(Datum);

void pgchat_launcher_main(Datum) {
    using namespace pgchat::pg;
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    bare_entry([] {
        call([] {
            BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
            before_shmem_exit(leave, 0);
        });
        shared->launcher_latch = MyLatch;
        Launcher().run();
        return Datum{0};
    });
    proc_exit(0);
}

}  // extern "C"
