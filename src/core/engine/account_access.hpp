// Which models one user may use, as the engine last read it, so that access is looked at without a query.
#pragma once

#include <unordered_set>

#include "core/engine/catalog.hpp"
#include "core/uuid.hpp"

namespace pgchat {

struct AccountAccess {
    std::unordered_set<Uuid, UuidHash> given;  // models, to the user or through role or plan; they count where not open

    bool allows(const ModelEntry& model) const { return model.is_open || given.contains(model.id); }
};

// Throws Error permission_denied where the model is not open to the user. The nil user, a trusted backend without one,
// may use every model.
void check_access(const Uuid& user_id, const AccountAccess& access, const ModelEntry& model);

}  // namespace pgchat
