// Looks at what others have committed since the statement began, which leave nothing behind: no snapshot, and no lock,
// which together with somebody who waits for the table would keep the engine from recording the very thing that is
// waited for.
#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace pgchat::pg {

namespace detail {
void begin_undone();
void undo(MemoryContext context, ResourceOwner owner);
[[noreturn]] void undo_and_rethrow(MemoryContext context, ResourceOwner owner);
}  // namespace detail

// Runs `body`, which only reads, in a subtransaction that is undone, and returns what it returns.
template <class Body>
auto look_and_undo(Body&& body) {
    MemoryContext const context = CurrentMemoryContext;
    ResourceOwner const owner = CurrentResourceOwner;
    detail::begin_undone();
    try {
        auto result = body();
        detail::undo(context, owner);
        return result;
    } catch (const ParkedError&) {
        detail::undo_and_rethrow(context, owner);
    } catch (...) {
        detail::undo(context, owner);
        throw;
    }
}

}  // namespace pgchat::pg
