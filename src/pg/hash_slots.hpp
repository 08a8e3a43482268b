// How many backends of the server may hash passwords at once (pgchat.max_concurrent_hashes), so that a storm of logins
// leaves cores for everybody else.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

extern "C" {
#include "port/atomics.h"
#include "storage/condition_variable.h"
}

namespace pgchat::pg {

// In the server's shared memory.
struct HashSlots {
    pg_atomic_uint32 taken;
    ConditionVariable freed;
};

void initialise_hash_slots(HashSlots& slots) noexcept;

// One place, taken by the constructor, which waits for it (interruptibly), and given back by the destructor. While it
// is held, nothing may be called that lets an interrupt or an error pass.
class HashSlot {
public:
    HashSlot();
    ~HashSlot();
    HashSlot(const HashSlot&) = delete;
    HashSlot& operator=(const HashSlot&) = delete;
};

}  // namespace pgchat::pg
