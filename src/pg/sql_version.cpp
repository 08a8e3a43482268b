#include "pg/sql_version.hpp"

#include "core/version.hpp"
#include "pg/boundary.hpp"
#include "pg/convert.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
}

namespace pgchat::pg {

const char* const library_version = PGCHAT_VERSION;

namespace {

// What SharedState::extension_changes was when the version was found to be right, and 1; 0: it is to be looked up.
std::uint64_t right_since = 0;

struct VersionText {
    bool found = false;
    char text[64] = "";
};

VersionText installed_version() {
    return call([] {
        VersionText version;
        ScanKeyData key;
        Relation const extensions = table_open(ExtensionRelationId, AccessShareLock);
        ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("pgchat"));
        SysScanDesc const scan = systable_beginscan(extensions, ExtensionNameIndexId, true, nullptr, 1, &key);
        HeapTuple const row = systable_getnext(scan);
        if (HeapTupleIsValid(row)) {
            bool is_null;
            const Datum stored =
                heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(extensions), &is_null);
            version.found = !is_null;
            if (version.found) text_to_cstring_buffer(DatumGetTextPP(stored), version.text, sizeof version.text);
        }
        systable_endscan(scan);
        table_close(extensions, AccessShareLock);
        return version;
    });
}

// Without the preloaded library's shared memory nobody tells of changes.
std::uint64_t changes_so_far() noexcept {
    return shared != nullptr ? pg_atomic_read_u64(&shared->extension_changes) + 1 : 1;
}

}  // namespace

std::optional<std::string> other_sql_version() {
    const VersionText version = installed_version();
    if (!version.found || strcmp(version.text, library_version) == 0) return std::nullopt;
    return version.text;
}

std::string advice_on(const std::string& sql_version) {
    if (is_older_version(sql_version, library_version))
        return std::string("Run ALTER EXTENSION pgchat UPDATE TO '") + library_version + "' as a superuser.";
    return "Install pgchat " + sql_version + " on the server and restart it.";
}

void require_own_sql() {
    const std::uint64_t changes = changes_so_far();
    if (right_since == changes || creating_extension) return;
    if (const auto other = other_sql_version())
        throw Error(ErrorCode::version_mismatch,
                    "the SQL of pgchat in this database is of version " + *other +
                        ", and the library that the server has loaded of version " + library_version,
                    advice_on(*other));
    right_since = changes;
}

void forget_sql_version() noexcept {
    right_since = 0;
}

}  // namespace pgchat::pg

using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_library_version);

// Called by the extension's scripts alone, before they need more of the library.
Datum pgchat_library_version(PG_FUNCTION_ARGS) {
    return bare_entry([] { return text_datum(library_version); });
}

}  // extern "C"
