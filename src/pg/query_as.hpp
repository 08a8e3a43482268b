// One-row queries that C functions run with the rights of one of pgchat's own roles, as a SECURITY DEFINER function
// would.
#pragma once

#include <initializer_list>

#include "pg/boundary.hpp"

namespace pgchat::pg {

struct Parameter {
    Oid type;
    Datum value;
};

// Runs `sql` as `role` and returns the first column of the first row, a type passed by value; 0 where there is no row
// or the value is NULL. The caller's rights are restored, by the rollback when it fails.
Datum query_as(const char* role, const char* sql, std::initializer_list<Parameter> parameters = {});

// The same for a column of any type, as text in the current memory context; null where there is no row or value.
const char* query_text_as(const char* role, const char* sql, std::initializer_list<Parameter> parameters = {});

}  // namespace pgchat::pg
