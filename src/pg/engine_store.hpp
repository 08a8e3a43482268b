// What the engine reads from and writes to tables, in batches, through the functions of sql/install/engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/engine/call.hpp"
#include "pg/engine_transaction.hpp"

namespace pgchat::pg {

// A call to be recorded: its usage, and where it is durable its result.
struct FinishedCall {
    Uuid user_id;
    Uuid request_id;
    Uuid message_id;
    Uuid conversation_id;
    bool durable = false;
    bool was_submitted = false;  // to the engine, which is to be told once it is recorded
    std::string model;
    std::string provider;
    CallResult result;
    const StreamLog* log = nullptr;  // the text, where it is to be stored
    std::uint32_t last_seq = 0;
    int failures = 0;        // how often recording it has failed
    TimePoint not_before{};  // when it may be tried again
};

// The text of a live reply, to be saved.
struct Checkpoint {
    Uuid user_id;
    Uuid message_id;
    const StreamLog* log;
};

// Each tells whether its transaction committed; a failure is in the server's log.
bool save_checkpoints(const std::vector<Checkpoint>& checkpoints);
// Not flushed to disk at once: a crash of the server within its wal_writer_delay leaves the call as interrupted.
// `busy` gets the requests whose rows somebody holds locked: they are not recorded, the others are.
Outcome record_finished(const std::vector<FinishedCall*>& calls, std::vector<Uuid>& busy);
// Adds recorded usage to the sums, so much as one turn may; `more` tells whether there is further usage.
bool roll_up_usage(bool& more);
// Makes and drops partitions of usage events; `ready` tells whether those for the next weeks are there.
bool keep_usage_partitions(bool& ready);
bool recover_requests();
// Removes rows that have outlived their time; `more` tells whether there are further ones.
bool tidy(bool& more);

}  // namespace pgchat::pg
