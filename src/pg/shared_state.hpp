// What all processes of the server share: which database has an engine, how to wake it, and its counters.
//
// Lives in the server's main shared memory; requests and replies travel through a DSM segment per backend
// (channel.hpp).
#pragma once

#include "core/crypto/envelope.hpp"
#include "pg/hash_slots.hpp"
#include "pg/session_cache.hpp"

extern "C" {
#include "port/atomics.h"
#include "storage/dsm.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
}

namespace pgchat::pg {

enum class EngineState : std::uint32_t { none, starting, running, stopping };

// Reasons to wake an engine, as bits of EngineSlot::wake.
enum WakeReason : std::uint32_t {
    wake_queue = 1,      // a durable request was committed
    wake_catalog = 2,    // models, providers or settings changed
    wake_extension = 4,  // the extension may be gone
    wake_stop = 8,       // the engine must leave the database
    wake_doorbell = 16,  // a backend rang (doorbells)
    wake_accounts = 32,  // roles, plans, limits or rights of users changed
    wake_keys = 64,      // the master keys changed
};

// What chat.engine_status() shows.
struct EngineTotals {
    pg_atomic_uint64 in_flight;
    pg_atomic_uint64 waiting;
    pg_atomic_uint64 readers;
    pg_atomic_uint64 submitted;
    pg_atomic_uint64 completed;
    pg_atomic_uint64 failed;
    pg_atomic_uint64 retried;
    pg_atomic_uint64 refused_by_rate;
    pg_atomic_uint64 refused_by_concurrency;
    pg_atomic_uint64 refused_by_tokens;
    pg_atomic_uint64 refused_by_budget;
    pg_atomic_uint64 suspended_providers;
    pg_atomic_uint64 started_at;  // TimestampTz
};

struct EngineSlot {
    Oid database;            // written under the lock, as are pid and latch
    pid_t pid;               // 0: the slot is free
    Latch* latch;            // of the engine
    pg_atomic_uint32 state;  // EngineState
    pg_atomic_uint32 wake;   // WakeReason bits
    // Grows with every engine start in this slot: a channel made for an earlier one is dead.
    pg_atomic_uint64 generation;
    // Like it, but of the catalog: the engine reloads before the next request once it has changed.
    pg_atomic_uint64 catalog_generation;
    // The same of accounts.
    pg_atomic_uint64 account_generation;
    // The id of the master key that everything of this database is sealed with, as it stands in memory; 0: not known.
    pg_atomic_uint64 sealed_with;
    // Where secrets for the engine are sent to; written before it is running.
    EnvelopeAddress envelope_address;
    EngineTotals totals;
};

struct SharedState {
    LWLock* lock;
    Latch* launcher_latch;    // null where none runs
    pg_atomic_uint32 rescan;  // the launcher should look at all databases again
    int slot_count;
    int client_count;              // processes that may have a channel, by process number
    std::uint32_t doorbell_words;  // of one slot
    EngineSlot* slots;
    // Databases that must have no engine for the moment (DROP DATABASE and its like), by the process that wants it.
    Oid* holds;
    // Databases whose engine ended because the extension is not there, for the launcher to take note.
    Oid* unwanted;
    // The DSM handle of each process's channel; DSM_HANDLE_INVALID where there is none.
    pg_atomic_uint32* channels;
    HashSlots hash_slots;
    int session_set_count;
    SessionCacheSet* session_sets;
    // Grows with every commit that ends a session or takes rights away: who is somebody then looks again.
    pg_atomic_uint64 revocations;
    // Grows with every commit that creates, alters or drops an extension: whoever knew its version then looks again.
    pg_atomic_uint64 extension_changes;
    // Bit n of a slot's words: process n has something for that slot's engine.
    pg_atomic_uint64* doorbells;
};

extern SharedState* shared;

// Asks for the memory and initialises it. Called once, from _PG_init.
void install_shared_state() noexcept;

// The slot of a database's engine, or null. Never errors.
EngineSlot* find_engine(Oid database) noexcept;

// Wakes the engine of the slot for the reason.
void wake(EngineSlot& slot, WakeReason reason) noexcept;

// Rings: this process has something for the engine.
void ring(EngineSlot& slot, int process_number) noexcept;

// Takes the numbers of the processes that rang.
template <class Function>
void take_doorbells(EngineSlot& slot, Function&& on_process) {
    pg_atomic_uint64* const words = shared->doorbells + (&slot - shared->slots) * shared->doorbell_words;
    for (std::uint32_t word = 0; word < shared->doorbell_words; ++word) {
        if (pg_atomic_read_u64(&words[word]) == 0) continue;
        std::uint64_t bits = pg_atomic_exchange_u64(&words[word], 0);
        while (bits != 0) {
            on_process(static_cast<int>(word * 64 + static_cast<std::uint32_t>(__builtin_ctzll(bits))));
            bits &= bits - 1;
        }
    }
}

// Wakes all engines but the slot's own for the reason.
void wake_others(const EngineSlot& slot, WakeReason reason) noexcept;

void wake_launcher() noexcept;

}  // namespace pgchat::pg
