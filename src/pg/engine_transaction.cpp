#include "pg/engine_transaction.hpp"

#include "pg/plan_refresh.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

namespace pgchat::pg {
namespace {

Oid engine_role = InvalidOid;

void begin(Durability durability, const char* activity) {
    call([&] {
        SetCurrentStatementStartTimestamp();
        StartTransactionCommand();
        if (durability == Durability::asynchronous)
            set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                              false);
        pgstat_report_activity(STATE_RUNNING, activity);
        PushActiveSnapshot(GetTransactionSnapshot());
        if (OidIsValid(engine_role)) SetUserIdAndSecContext(engine_role, SECURITY_LOCAL_USERID_CHANGE);
        SPI_connect();
    });
}

void commit_current() {
    call([] {
        SPI_finish();
        SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, 0);
        PopActiveSnapshot();
        CommitTransactionCommand();
        pgstat_report_stat(false);
        pgstat_report_activity(STATE_IDLE, nullptr);
    });
}

// The server's error, parked by call(), goes to the log, and `undo` is called. A lock, which may be met again and
// again, gets one line.
template <class Undo>
Outcome report_and_undo(const char* activity, Undo&& undo) noexcept {
    const bool locked = geterrcode() == ERRCODE_LOCK_NOT_AVAILABLE;
    if (!locked) EmitErrorReport();
    FlushErrorState();
    undo();
    if (locked) ereport(LOG, (errmsg("pgchat: %s waits for a lock that another session holds", activity)));
    return locked ? Outcome::locked : Outcome::failed;
}

Outcome roll_back(const char* activity) noexcept {
    HOLD_INTERRUPTS();
    const Outcome outcome = report_and_undo(activity, [] { AbortCurrentTransaction(); });
    pgstat_report_activity(STATE_IDLE, nullptr);
    RESUME_INTERRUPTS();
    return outcome;
}

// What a part of a transaction must find again at its end.
struct Surroundings {
    MemoryContext memory;
    ResourceOwner resources;

    void restore() const noexcept {
        MemoryContextSwitchTo(memory);
        CurrentResourceOwner = resources;
    }
};

Surroundings begin_part() {
    return call([] {
        const Surroundings outer{CurrentMemoryContext, CurrentResourceOwner};
        BeginInternalSubTransaction(nullptr);
        MemoryContextSwitchTo(outer.memory);
        return outer;
    });
}

void report_other_version(const std::string& sql_version) {
    const std::string advice = advice_on(sql_version);
    call([&] {
        ereport(LOG,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("pgchat: no engine for database \"%s\": its SQL is of version %s, the library of version %s",
                        get_database_name(MyDatabaseId), sql_version.c_str(), library_version),
                 errhint("%s", advice.c_str())));
    });
}

void undo_part(const Surroundings& outer) noexcept {
    RollbackAndReleaseCurrentSubTransaction();
    outer.restore();
}

}  // namespace

Outcome in_transaction(Durability durability, const char* activity, const std::function<void()>& body) {
    try {
        begin(durability, activity);
        refresh_outgrown_plans();
        body();
        commit_current();
        return Outcome::committed;
    } catch (const ParkedError&) {
        return roll_back(activity);
    } catch (const std::exception& error) {
        // Turned into a server error, so that one path reports and undoes.
        try {
            call([&] { ereport(ERROR, (errmsg_internal("pgchat engine: %s: %s", activity, error.what()))); });
        } catch (const ParkedError&) {
            return roll_back(activity);
        }
    }
    return Outcome::failed;
}

Outcome in_subtransaction(const char* activity, const std::function<void()>& body) {
    const Surroundings outer = begin_part();
    try {
        body();
        call([&] {
            ReleaseCurrentSubTransaction();
            outer.restore();
        });
        return Outcome::committed;
    } catch (const ParkedError&) {
        return call([&] { return report_and_undo(activity, [&] { undo_part(outer); }); });
    } catch (...) {
        call([&] { undo_part(outer); });
        throw;
    }
}

Served extension_served() {
    bool installed = false;
    Oid role = InvalidOid;
    const Outcome outcome = in_transaction(Durability::asynchronous, "looking for the extension", [&] {
        call([&] {
            role = get_role_oid("pgchat_engine", true);
            installed = OidIsValid(get_extension_oid("pgchat", true)) && OidIsValid(role);
        });
        if (installed && other_sql_version()) {
            report_other_version(*other_sql_version());
            installed = false;
        }
    });
    if (outcome != Outcome::committed) return Served::unknown;
    engine_role = role;
    return installed ? Served::yes : Served::no;
}

}  // namespace pgchat::pg
