// Reads accounts into the engine's book: all that calls wait for, in one transaction.
#pragma once

#include <vector>

#include "core/crypto/secret_vault.hpp"
#include "core/engine/account_book.hpp"

namespace pgchat::pg {

// Puts these users' accounts into the book, as they are at `generation`, which must have been read before; `vault`
// opens their keys. False where the transaction failed, which the server's log is told of: nothing has changed then.
bool load_accounts(const std::vector<Uuid>& user_ids, std::uint64_t generation, const Clock& clock, SecretVault& vault,
                   AccountBook& book);

}  // namespace pgchat::pg
