#include "pg/lifecycle.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/preload.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "nodes/parsenodes.h"
#include "storage/ipc.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
}

namespace pgchat::pg {
namespace {

ProcessUtility_hook_type previous_utility_hook;
object_access_hook_type previous_access_hook;

// What this transaction's commit must tell, as WakeReason bits, and whether the launcher must look.
std::uint32_t wakes_at_commit;
bool launch_at_commit;
bool extension_changed;
bool revocation_at_commit;
// Grows with what this process announces, and with what it then undoes.
std::uint64_t own_revocations;

void release_hold() noexcept {
    if (!OidIsValid(shared->holds[my_proc_number()])) return;
    shared->holds[my_proc_number()] = InvalidOid;
    wake_launcher();
}

void at_transaction_end(XactEvent event, void*) noexcept {
    if (event == XACT_EVENT_COMMIT) {
        EngineSlot* const slot = wakes_at_commit != 0 ? find_engine(MyDatabaseId) : nullptr;
        if (slot != nullptr) {
            if ((wakes_at_commit & wake_catalog) != 0) pg_atomic_fetch_add_u64(&slot->catalog_generation, 1);
            if ((wakes_at_commit & wake_accounts) != 0) pg_atomic_fetch_add_u64(&slot->account_generation, 1);
            wake(*slot, static_cast<WakeReason>(wakes_at_commit));
        }
        if (extension_changed) pg_atomic_fetch_add_u64(&shared->extension_changes, 1);
        if (launch_at_commit) wake_launcher();
        // Sessions of an extension that was dropped are known for some seconds, too.
        if (revocation_at_commit || extension_changed) pg_atomic_fetch_add_u64(&shared->revocations, 1);
    }
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        if (revocation_at_commit) ++own_revocations;
        if (extension_changed) forget_sql_version();
        extension_changed = false;
        wakes_at_commit = 0;
        launch_at_commit = false;
        revocation_at_commit = false;
        // Not before: the launcher must see the database as it is then.
        release_hold();
    }
}

void at_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void*) noexcept {
    if (event != SUBXACT_EVENT_ABORT_SUB) return;
    if (revocation_at_commit) ++own_revocations;
    if (extension_changed) forget_sql_version();
}

void on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void* argument) noexcept {
    if (previous_access_hook != nullptr) previous_access_hook(access, class_id, object_id, sub_id, argument);
    if (class_id != ExtensionRelationId) return;
    if (access == OAT_POST_CREATE || access == OAT_POST_ALTER) launch_at_commit = true;
    if (access == OAT_DROP || access == OAT_POST_ALTER) wakes_at_commit |= wake_extension;
    if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP) return;
    extension_changed = true;
    forget_sql_version();
}

// The database that the statement needs for itself, so that no engine may be in it; InvalidOid where there is none.
Oid database_needed_alone(Node* statement) {
    const char* name = nullptr;
    if (IsA(statement, DropdbStmt)) name = castNode(DropdbStmt, statement)->dbname;
    if (IsA(statement, RenameStmt) && castNode(RenameStmt, statement)->renameType == OBJECT_DATABASE)
        name = castNode(RenameStmt, statement)->subname;
    List* options = NIL;
    if (IsA(statement, CreatedbStmt)) options = castNode(CreatedbStmt, statement)->options;
    if (IsA(statement, AlterDatabaseStmt)) options = castNode(AlterDatabaseStmt, statement)->options;
    ListCell* cell;
    foreach (cell, options) {
        auto* const option = lfirst_node(DefElem, cell);
        if (IsA(statement, CreatedbStmt) && strcmp(option->defname, "template") == 0 && option->arg != nullptr)
            name = defGetString(option);
        if (IsA(statement, AlterDatabaseStmt) && strcmp(option->defname, "tablespace") == 0)
            name = castNode(AlterDatabaseStmt, statement)->dbname;
    }
    return name != nullptr ? get_database_oid(name, true) : InvalidOid;
}

// Asks the database's engine to leave and waits for it, at most five seconds: the statement then meets whoever is
// left, and says so.
void clear_of_engine(Oid database) {
    shared->holds[my_proc_number()] = database;
    for (int waited_ms = 0; waited_ms < 5000; waited_ms += 10) {
        EngineSlot* const slot = find_engine(database);
        if (slot == nullptr) return;
        wake(*slot, wake_stop);
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
}

void release_hold_at_exit(int, Datum) noexcept {
    release_hold();
}

void run_utility(PlannedStmt* planned, const char* query, bool read_only, ProcessUtilityContext context,
                 ParamListInfo params, QueryEnvironment* environment, DestReceiver* destination,
                 QueryCompletion* completion) {
    const ProcessUtility_hook_type next =
        previous_utility_hook != nullptr ? previous_utility_hook : standard_ProcessUtility;
    next(planned, query, read_only, context, params, environment, destination, completion);
}

bool commits_prepared(const Node* statement) noexcept {
    return IsA(statement, TransactionStmt) &&
           reinterpret_cast<const TransactionStmt*>(statement)->kind == TRANS_STMT_COMMIT_PREPARED;
}

// Of a transaction that another session prepared nobody here knows what it announces: so all that can be.
void announce_everything() noexcept {
    EngineSlot* const slot = find_engine(MyDatabaseId);
    if (slot != nullptr) {
        pg_atomic_fetch_add_u64(&slot->catalog_generation, 1);
        pg_atomic_fetch_add_u64(&slot->account_generation, 1);
        wake(*slot, static_cast<WakeReason>(wake_queue | wake_catalog | wake_extension));
    }
    pg_atomic_fetch_add_u64(&shared->revocations, 1);
    pg_atomic_fetch_add_u64(&shared->extension_changes, 1);
}

// Called by the server, and holds nothing a longjmp could skip.
void on_utility(PlannedStmt* planned, const char* query, bool read_only, ProcessUtilityContext context,
                ParamListInfo params, QueryEnvironment* environment, DestReceiver* destination,
                QueryCompletion* completion) {
    const Oid database = database_needed_alone(planned->utilityStmt);
    if (IsA(planned->utilityStmt, CreatedbStmt)) launch_at_commit = true;
    if (!OidIsValid(database)) {
        const bool was_prepared = commits_prepared(planned->utilityStmt);
        run_utility(planned, query, read_only, context, params, environment, destination, completion);
        if (was_prepared) announce_everything();
        return;
    }
    static bool exit_callback_set = false;
    if (!exit_callback_set) before_shmem_exit(release_hold_at_exit, 0);
    exit_callback_set = true;
    clear_of_engine(database);
    run_utility(planned, query, read_only, context, params, environment, destination, completion);
}

}  // namespace

void wake_engine_at_commit() {
    require_preloaded();
    wakes_at_commit |= wake_queue;
}

void reload_catalog_at_commit() {
    require_preloaded();
    wakes_at_commit |= wake_catalog;
}

void reload_accounts_at_commit() {
    require_preloaded();
    wakes_at_commit |= wake_accounts;
}

void announce_revocation_at_commit() {
    require_preloaded();
    revocation_at_commit = true;
    ++own_revocations;
}

std::uint64_t own_revocations_so_far() noexcept {
    return own_revocations;
}

bool revocation_is_due() noexcept {
    return revocation_at_commit;
}

bool extension_is_uncommitted() {
    if (!launch_at_commit) return false;
    return call([] {
        ScanKeyData key;
        Relation const extensions = table_open(ExtensionRelationId, AccessShareLock);
        ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("pgchat"));
        SysScanDesc const scan = systable_beginscan(extensions, ExtensionNameIndexId, true, nullptr, 1, &key);
        HeapTuple const row = systable_getnext(scan);
        const bool is_own =
            HeapTupleIsValid(row) && TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
        systable_endscan(scan);
        table_close(extensions, AccessShareLock);
        return is_own;
    });
}

void install_lifecycle_hooks() noexcept {
    previous_utility_hook = ProcessUtility_hook;
    ProcessUtility_hook = on_utility;
    previous_access_hook = object_access_hook;
    object_access_hook = on_object_access;
    RegisterXactCallback(at_transaction_end, nullptr);
    RegisterSubXactCallback(at_subtransaction_end, nullptr);
}

}  // namespace pgchat::pg
