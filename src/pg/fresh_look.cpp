#include "pg/fresh_look.hpp"

extern "C" {
#include "access/xact.h"
}

namespace pgchat::pg::detail {

void begin_undone() {
    call([] {
        MemoryContext const context = CurrentMemoryContext;
        BeginInternalSubTransaction(nullptr);
        MemoryContextSwitchTo(context);
    });
}

void undo(MemoryContext context, ResourceOwner owner) {
    call([&] {
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
    });
}

void undo_and_rethrow(MemoryContext context, ResourceOwner owner) {
    call([&] {
        MemoryContextSwitchTo(context);
        ErrorData* const error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
        ReThrowError(error);
    });
    throw ParkedError{};
}

}  // namespace pgchat::pg::detail
