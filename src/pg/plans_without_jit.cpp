#include "pg/plans_without_jit.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "jit/jit.h"
#include "optimizer/cost.h"
#include "optimizer/planner.h"
}

namespace pgchat::pg {
namespace {

planner_hook_type previous_planner_hook;

// Called by the server, and holds nothing a longjmp could skip.
PlannedStmt* on_plan(Query* query, const char* text, int cursor_options, ParamListInfo parameters) {
    const planner_hook_type next = previous_planner_hook != nullptr ? previous_planner_hook : standard_planner;
    PlannedStmt* const plan = next(query, text, cursor_options, parameters);
    if (!enable_seqscan) plan->jitFlags = PGJIT_NONE;
    return plan;
}

}  // namespace

void install_plans_without_jit() noexcept {
    previous_planner_hook = planner_hook;
    planner_hook = on_plan;
}

}  // namespace pgchat::pg
