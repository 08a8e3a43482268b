// One row found straight through its table's primary key: for what every request begins with.
#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
}

namespace pgchat::pg {

// One row found by the whole of its table's primary key, past row policies. Plain data, made and read inside one
// call().
class KeyedRow {
public:
    // As the snapshot sees it; with none (null), what is committed now and what this transaction did.
    KeyedRow(const char* schema, const char* table, Snapshot snapshot, const char* const* columns, const Datum* keys,
             const RegProcedure* equals, int count) noexcept {
        relation_ = table_open(get_relname_relid(table, get_namespace_oid(schema, false)), AccessShareLock);
        ScanKeyData scan_keys[2];
        for (int i = 0; i < count; ++i) {
            const AttrNumber number = get_attnum(RelationGetRelid(relation_), columns[i]);
            ScanKeyInit(&scan_keys[i], number, BTEqualStrategyNumber, equals[i], keys[i]);
            scan_keys[i].sk_collation = TupleDescAttr(RelationGetDescr(relation_), number - 1)->attcollation;
        }
        scan_ = systable_beginscan(relation_, RelationGetPrimaryKeyIndexCompat(relation_), true, snapshot, count,
                                   scan_keys);
        tuple_ = systable_getnext(scan_);
    }

    bool found() const noexcept { return HeapTupleIsValid(tuple_); }
    // Whether this transaction has written it.
    bool is_own() const noexcept { return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple_->t_data)); }
    Datum column(const char* name) const noexcept {
        bool is_null;
        return column(name, is_null);
    }
    Datum column(const char* name, bool& is_null) const noexcept {
        return heap_getattr(tuple_, get_attnum(RelationGetRelid(relation_), name), RelationGetDescr(relation_),
                            &is_null);
    }
    void close() noexcept {
        systable_endscan(scan_);
        table_close(relation_, NoLock);
    }

private:
    static Oid RelationGetPrimaryKeyIndexCompat(Relation relation) noexcept {
#if PG_VERSION_NUM >= 180000
        return RelationGetPrimaryKeyIndex(relation, false);
#else
        return RelationGetPrimaryKeyIndex(relation);
#endif
    }

    Relation relation_;
    SysScanDesc scan_;
    HeapTuple tuple_;
};

}  // namespace pgchat::pg
