// What the engine reads from and writes to tables, in batches, through the functions of sql/install/*engine*.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/engine/call.hpp"
#include "pg/engine_transaction.hpp"

namespace pgchat::pg {

// A durable request taken from the queue. The texts live until the claim's transaction ends.
struct ClaimedRequest {
    Uuid user_id;
    Uuid request_id;
    Uuid message_id;
    Uuid conversation_id;
    std::string_view model;
    ChatRequestText text;
    std::int64_t timeout_ms = 0;  // 0: the server's default
};

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
bool claim_requests(std::size_t limit, const std::function<void(const ClaimedRequest&)>& take, std::size_t& claimed);
bool save_checkpoints(const std::vector<Checkpoint>& checkpoints);
// Not flushed to disk at once: a crash of the server within its wal_writer_delay leaves the call as interrupted.
// `busy` gets the requests whose rows somebody holds locked: they are not recorded, the others are.
Outcome record_finished(const std::vector<FinishedCall*>& calls, std::vector<Uuid>& busy);
bool recover_requests();
// Removes rows that have outlived their time; `more` tells whether there are further ones.
bool tidy(bool& more);

}  // namespace pgchat::pg
