// Writing the audit log from C++: one row that the caller's ROLLBACK does not undo.
#pragma once

#include <string_view>

#include "core/llm/json.hpp"

namespace pgchat::pg {

// Writes one row of chat.audit_log, as chat_private.audit() does, and returns once it is committed. The actor is the
// current user. resource: empty for none. outcome: success, refused or failure. Throws Error engine_unavailable.
void audit(std::string_view action, std::string_view resource, const Json& details, std::string_view outcome);

}  // namespace pgchat::pg
