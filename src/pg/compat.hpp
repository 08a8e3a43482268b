// What differs between the supported server versions (15 to 18), each difference named once.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "storage/proc.h"
#include "utils/wait_event.h"
}

namespace pgchat::pg {

// Memory that a GUC check hook hands over in *extra.
inline void* guc_extra_alloc(std::size_t size) noexcept {
#if PG_VERSION_NUM >= 160000
    return guc_malloc(LOG, size);
#else
    return std::malloc(size);
#endif
}

inline int my_proc_number() noexcept {
#if PG_VERSION_NUM >= 170000
    return MyProcNumber;
#else
    return MyProc->pgprocno;
#endif
}

// A wait event of our own name where the server can have one.
inline std::uint32_t wait_event(const char* name) noexcept {
#if PG_VERSION_NUM >= 170000
    return WaitEventExtensionNew(name);
#else
    (void)name;
    return PG_WAIT_EXTENSION;
#endif
}

}  // namespace pgchat::pg
