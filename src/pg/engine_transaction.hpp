// The engine's own short transactions: run as pgchat_engine, never left open, their failure reported and survived.
#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace pgchat::pg {

enum class Durability { flushed, asynchronous };

// Runs `body` inside a transaction with SPI connected. False, with the server's log told, when it failed; everything
// it wrote is undone then.
bool in_transaction(Durability durability, const char* activity, const std::function<void()>& body);

// Whether the extension exists in this database and its engine role does; must run outside a transaction.
bool extension_is_installed();

}  // namespace pgchat::pg
