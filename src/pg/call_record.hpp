// What is recorded of a call once it has ended, or could not begin.
#pragma once

#include "pg/engine_queue.hpp"
#include "pg/engine_store.hpp"

namespace pgchat::pg {

FinishedCall finished_call(const Call& call);

// A claimed request that cannot be sent.
FinishedCall refused_call(const ClaimedRequest& request, const Error& error);

}  // namespace pgchat::pg
