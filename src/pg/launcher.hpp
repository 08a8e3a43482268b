// The launcher: the one background worker that starts an engine for every database that has the extension, and starts
// it again when it has ended.
#pragma once

namespace pgchat::pg {

// Registers the launcher with the server. Called once, from _PG_init.
void register_launcher() noexcept;

}  // namespace pgchat::pg
