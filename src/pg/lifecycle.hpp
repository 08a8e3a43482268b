// Ties engines to the lives of their extension and database: woken when work is committed, started with the
// extension, gone when it or the database goes.
#pragma once

#include <cstdint>

namespace pgchat::pg {

// At this transaction's commit: the engine looks into its queue.
void wake_engine_at_commit();

// At this transaction's commit: the engine reads models, providers and settings anew.
void reload_catalog_at_commit();

// At this transaction's commit: the engine reads an account anew before it lets a call of its user in.
void reload_accounts_at_commit();

// Whether this transaction has created the extension: nobody else sees its tables yet, the engine neither.
bool extension_is_uncommitted();

// Installs the hooks. Called once, from _PG_init.
void install_lifecycle_hooks() noexcept;

// Has every process that knows who its user is look again, once this transaction has committed.
void announce_revocation_at_commit();

// A count that changes whenever this process has announced a revocation, or undone one that it had announced.
std::uint64_t own_revocations_so_far() noexcept;

// Whether this transaction will announce one.
bool revocation_is_due() noexcept;

}  // namespace pgchat::pg
