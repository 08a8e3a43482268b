#include "pg/engine_transaction.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "commands/extension.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
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

void commit() {
    call([] {
        SPI_finish();
        SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, 0);
        PopActiveSnapshot();
        CommitTransactionCommand();
        pgstat_report_stat(false);
        pgstat_report_activity(STATE_IDLE, nullptr);
    });
}

// The server's error, parked by call(), goes to the log, and the transaction is undone.
void roll_back() noexcept {
    HOLD_INTERRUPTS();
    EmitErrorReport();
    FlushErrorState();
    AbortCurrentTransaction();
    pgstat_report_activity(STATE_IDLE, nullptr);
    RESUME_INTERRUPTS();
}

}  // namespace

bool in_transaction(Durability durability, const char* activity, const std::function<void()>& body) {
    try {
        begin(durability, activity);
        body();
        commit();
        return true;
    } catch (const ParkedError&) {
        roll_back();
    } catch (const std::exception& error) {
        // Turned into a server error, so that one path reports and undoes.
        try {
            call([&] { ereport(ERROR, (errmsg_internal("pgchat engine: %s: %s", activity, error.what()))); });
        } catch (const ParkedError&) {
            roll_back();
        }
    }
    return false;
}

bool extension_is_installed() {
    bool installed = false;
    engine_role = InvalidOid;
    const bool ran = in_transaction(Durability::asynchronous, "looking for the extension", [&] {
        call([&] {
            engine_role = get_role_oid("pgchat_engine", true);
            installed = OidIsValid(get_extension_oid("pgchat", true)) && OidIsValid(engine_role);
        });
    });
    return ran && installed;
}

}  // namespace pgchat::pg
