// The engine's own short transactions: run as pgchat_engine, never left open, their failure reported and survived.
#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace pgchat::pg {

enum class Durability { flushed, asynchronous };

// How a transaction ended; unless committed, everything it wrote is undone and the server's log is told. locked:
// somebody holds a lock for longer than the engine waits, which is no fault of what was to be done.
enum class Outcome { committed, locked, failed };

// Runs `body` inside a transaction with SPI connected.
Outcome in_transaction(Durability durability, const char* activity, const std::function<void()>& body);

// Runs `body` inside a part of the transaction that is undone alone where it fails, which the server's log is told of.
// An Error that it throws undoes it too, and goes on.
Outcome in_subtransaction(const char* activity, const std::function<void()>& body);

// Whether the extension exists in this database, in this library's version, and its engine role does; another version
// is told to the log. unknown: looking failed, as for a lock; to be done again. Must run outside a transaction.
enum class Served { yes, no, unknown };
Served extension_served();

}  // namespace pgchat::pg
