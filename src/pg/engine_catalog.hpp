// What the engine may call: providers and models, read from their tables when they have changed.
#pragma once

#include <memory>

#include "core/crypto/secret_vault.hpp"
#include "core/engine/catalog.hpp"

namespace pgchat::pg {

// Tells whether its transaction committed; a failure is in the server's log, as is each provider or model that is left
// out because it cannot be used.
bool load_catalog(SecretVault& vault, std::shared_ptr<const Catalog>& catalog);

}  // namespace pgchat::pg
