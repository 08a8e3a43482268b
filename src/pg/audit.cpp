#include "pg/audit.hpp"

#include "pg/convert.hpp"
#include "pg/query_as.hpp"

extern "C" {
#include "catalog/pg_type.h"
}

namespace pgchat::pg {

void audit(std::string_view action, std::string_view resource, const Json& details, std::string_view outcome) {
    query_as("pgchat_owner", "SELECT chat_private.audit($1, nullif($2, ''), $3, $4)",
             {{TEXTOID, text_datum(action)},
              {TEXTOID, text_datum(resource)},
              {JSONBOID, jsonb_datum(details.dump().c_str())},
              {TEXTOID, text_datum(outcome)}});
}

}  // namespace pgchat::pg
