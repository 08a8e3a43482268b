// Keeps plans that may read no table in sequence from being compiled to machine code.
//
// Functions that look rows up carry SET enable_seqscan = off. Where such a plan has to read a table in sequence after
// all, the planner adds a cost of 1e10 to it, and the server takes that for a query worth seconds of compiling.
#pragma once

namespace pgchat::pg {

// Called once, from _PG_init.
void install_plans_without_jit() noexcept;

}  // namespace pgchat::pg
