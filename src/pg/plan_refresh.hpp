// Has the engine's plans made anew when the tables they were made for have outgrown them.
//
// Plans are kept for the life of the process, and made anew when autovacuum has looked at a table: too late after a
// bulk import, or in the first minutes of an installation, where what was right for an empty table (to read all of its
// index, say) takes a second for each batch.
#pragma once

namespace pgchat::pg {

// Looks at the sizes of the tables that grow with every call. To be called inside a transaction, before its first
// statement.
void refresh_outgrown_plans();

}  // namespace pgchat::pg
