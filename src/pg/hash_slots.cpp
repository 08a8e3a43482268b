#include "pg/hash_slots.hpp"

#include <algorithm>
#include <thread>

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/preload.hpp"
#include "pg/settings.hpp"
#include "pg/shared_state.hpp"

namespace pgchat::pg {
namespace {

// A raised limit is noticed this late by those who wait already.
constexpr long longest_sleep_ms = 1000;

std::uint32_t hash_wait_event() noexcept {
    static const std::uint32_t event = wait_event("PgchatHashSlot");
    return event;
}

std::uint32_t slot_count() noexcept {
    if (settings.max_concurrent_hashes > 0) return static_cast<std::uint32_t>(settings.max_concurrent_hashes);
    // Half of the cores, so that the other half serves those who are logged in.
    static const std::uint32_t half = std::max(1U, std::thread::hardware_concurrency() / 2);
    return half;
}

bool try_take(HashSlots& slots) noexcept {
    std::uint32_t taken = pg_atomic_read_u32(&slots.taken);
    while (taken < slot_count())
        if (pg_atomic_compare_exchange_u32(&slots.taken, &taken, taken + 1)) return true;
    return false;
}

}  // namespace

void initialise_hash_slots(HashSlots& slots) noexcept {
    pg_atomic_init_u32(&slots.taken, 0);
    ConditionVariableInit(&slots.freed);
}

HashSlot::HashSlot() {
    require_preloaded();
    HashSlots& slots = shared->hash_slots;
    if (try_take(slots)) return;
    call([&] {
        ConditionVariablePrepareToSleep(&slots.freed);
        while (!try_take(slots)) ConditionVariableTimedSleep(&slots.freed, longest_sleep_ms, hash_wait_event());
        ConditionVariableCancelSleep();
    });
}

HashSlot::~HashSlot() {
    pg_atomic_fetch_sub_u32(&shared->hash_slots.taken, 1);
    ConditionVariableSignal(&shared->hash_slots.freed);
}

}  // namespace pgchat::pg
