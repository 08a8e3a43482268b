#include "pg/shared_state.hpp"

#include "pg/settings.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shmem.h"
}

namespace pgchat::pg {

SharedState* shared = nullptr;

namespace {

shmem_request_hook_type previous_request_hook;
shmem_startup_hook_type previous_startup_hook;

int process_count() noexcept {
    return MaxBackends + NUM_AUXILIARY_PROCS;
}

std::uint32_t words_per_slot() noexcept {
    return (static_cast<std::uint32_t>(process_count()) + 63) / 64;
}

int session_set_count() noexcept {
    constexpr int places = std::tuple_size_v<decltype(KnownSessions::places)>;
    return (settings.max_cached_sessions + places - 1) / places;
}

// The parts of the block, each aligned, in this order.
struct Layout {
    Size slots, holds, unwanted, channels, doorbells, session_sets, total;

    Layout() noexcept {
        const auto engines = static_cast<Size>(settings.max_engines);
        const auto processes = static_cast<Size>(process_count());
        slots = MAXALIGN(sizeof(SharedState));
        holds = slots + MAXALIGN(engines * sizeof(EngineSlot));
        unwanted = holds + MAXALIGN(processes * sizeof(Oid));
        channels = unwanted + MAXALIGN(engines * sizeof(Oid));
        doorbells = channels + MAXALIGN(processes * sizeof(pg_atomic_uint32));
        session_sets = doorbells + MAXALIGN(engines * words_per_slot() * sizeof(pg_atomic_uint64));
        total = session_sets + static_cast<Size>(session_set_count()) * sizeof(SessionCacheSet);
    }
};

void request_memory() noexcept {
    if (previous_request_hook != nullptr) previous_request_hook();
    RequestAddinShmemSpace(Layout().total);
    RequestNamedLWLockTranche("pgchat", 1);
}

void initialise_slot(EngineSlot& slot) noexcept {
    pg_atomic_init_u32(&slot.state, 0);
    pg_atomic_init_u32(&slot.wake, 0);
    pg_atomic_init_u64(&slot.generation, 0);
    pg_atomic_init_u64(&slot.catalog_generation, 0);
    pg_atomic_init_u64(&slot.account_generation, 0);
    pg_atomic_init_u64(&slot.sealed_with, 0);
    for (pg_atomic_uint64* total = &slot.totals.in_flight; total <= &slot.totals.started_at; ++total)
        pg_atomic_init_u64(total, 0);
}

void initialise(SharedState& state) noexcept {
    const Layout layout;
    char* const block = reinterpret_cast<char*>(&state);
    MemSet(block, 0, layout.total);
    state.lock = &GetNamedLWLockTranche("pgchat")->lock;
    pg_atomic_init_u32(&state.rescan, 0);
    pg_atomic_init_u64(&state.revocations, 0);
    pg_atomic_init_u64(&state.extension_changes, 0);
    initialise_hash_slots(state.hash_slots);
    state.session_set_count = session_set_count();
    state.session_sets = reinterpret_cast<SessionCacheSet*>(block + layout.session_sets);
    initialise_session_cache(state.session_sets, state.session_set_count);
    state.slot_count = settings.max_engines;
    state.client_count = process_count();
    state.doorbell_words = words_per_slot();
    state.slots = reinterpret_cast<EngineSlot*>(block + layout.slots);
    state.holds = reinterpret_cast<Oid*>(block + layout.holds);
    state.unwanted = reinterpret_cast<Oid*>(block + layout.unwanted);
    state.channels = reinterpret_cast<pg_atomic_uint32*>(block + layout.channels);
    state.doorbells = reinterpret_cast<pg_atomic_uint64*>(block + layout.doorbells);
    for (int i = 0; i < state.slot_count; ++i) initialise_slot(state.slots[i]);
    for (int i = 0; i < state.client_count; ++i) pg_atomic_init_u32(&state.channels[i], DSM_HANDLE_INVALID);
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(state.slot_count) * state.doorbell_words; ++i)
        pg_atomic_init_u64(&state.doorbells[i], 0);
}

void attach_memory() noexcept {
    if (previous_startup_hook != nullptr) previous_startup_hook();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool found;
    shared = static_cast<SharedState*>(ShmemInitStruct("pgchat", Layout().total, &found));
    if (!found) initialise(*shared);
    LWLockRelease(AddinShmemInitLock);
}

}  // namespace

void install_shared_state() noexcept {
    previous_request_hook = shmem_request_hook;
    shmem_request_hook = request_memory;
    previous_startup_hook = shmem_startup_hook;
    shmem_startup_hook = attach_memory;
}

EngineSlot* find_engine(Oid database) noexcept {
    for (int i = 0; i < shared->slot_count; ++i) {
        EngineSlot& slot = shared->slots[i];
        if (slot.pid != 0 && slot.database == database) return &slot;
    }
    return nullptr;
}

void wake(EngineSlot& slot, WakeReason reason) noexcept {
    pg_atomic_fetch_or_u32(&slot.wake, reason);
    Latch* const latch = slot.latch;
    if (latch != nullptr) SetLatch(latch);
}

void ring(EngineSlot& slot, int process_number) noexcept {
    pg_atomic_uint64* const words = shared->doorbells + (&slot - shared->slots) * shared->doorbell_words;
    pg_atomic_fetch_or_u64(&words[process_number / 64], std::uint64_t{1} << (process_number % 64));
    wake(slot, wake_doorbell);
}

void wake_others(const EngineSlot& slot, WakeReason reason) noexcept {
    for (int i = 0; i < shared->slot_count; ++i)
        if (&shared->slots[i] != &slot) wake(shared->slots[i], reason);
}

void wake_launcher() noexcept {
    pg_atomic_write_u32(&shared->rescan, 1);
    Latch* const latch = shared->launcher_latch;
    if (latch != nullptr) SetLatch(latch);
}

}  // namespace pgchat::pg
