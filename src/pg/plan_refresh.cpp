#include "pg/plan_refresh.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
}

namespace pgchat::pg {
namespace {

struct GrowingTable {
    const char* schema;
    const char* name;
    Oid id = InvalidOid;
    BlockNumber planned_for = 0;  // its size when plans were last made anew
};

GrowingTable growing_tables[] = {{"chat", "conversations"},
                                 {"chat", "messages"},
                                 {"chat_private", "llm_requests"},
                                 {"chat_private", "search_chunks"}};

// Less is not worth a plan: any will do.
constexpr BlockNumber small_table = 16;

BlockNumber size_of(GrowingTable& table) noexcept {
    if (!OidIsValid(table.id)) {
        const Oid schema = get_namespace_oid(table.schema, true);
        if (OidIsValid(schema)) table.id = get_relname_relid(table.name, schema);
    }
    Relation relation = OidIsValid(table.id) ? try_relation_open(table.id, AccessShareLock) : nullptr;
    if (relation == nullptr) return 0;
    const BlockNumber size = RelationGetNumberOfBlocks(relation);
    relation_close(relation, AccessShareLock);
    return size;
}

}  // namespace

void refresh_outgrown_plans() {
    call([] {
        bool outgrown = false;
        for (GrowingTable& table : growing_tables) {
            const BlockNumber size = size_of(table);
            if (size <= small_table || size / 2 < table.planned_for) continue;
            table.planned_for = size;
            outgrown = true;
        }
        if (outgrown) ResetPlanCache();
    });
}

}  // namespace pgchat::pg
