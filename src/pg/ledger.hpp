// A backend's way to have something done in a transaction of the engine's, which its own ROLLBACK does not undo.
#pragma once

#include <string>
#include <string_view>

#include "core/engine/ledger_act.hpp"

namespace pgchat::pg {

// Has the engine do the act and returns its answer, once that is committed. The wait is interruptible; what has been
// sent by then happens all the same. In the transaction that creates the extension it is done there. The act must need
// no lock that this transaction holds. Throws Error: engine_unavailable when no engine runs, it ends meanwhile, or
// cannot write in time; read_only_server on a standby; and what the act itself throws.
std::string ask_ledger(LedgerAct act, std::string_view payload);

// The same for an act whose outcome nobody waits for: it is sent, or dropped where no engine runs or the server is a
// standby.
void tell_ledger(LedgerAct act, std::string_view payload);

}  // namespace pgchat::pg
