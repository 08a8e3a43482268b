// A backend's requests to the engine: sent through its channel, awaited on its latch, abandoned when nobody waits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/frames.hpp"
#include "pg/boundary.hpp"

namespace pgchat::pg {

// One request in progress. Destroying it before its last reply tells the engine that nobody waits any more; an
// immediate call is then aborted. Safe to destroy while a server error passes.
class EngineRequest {
public:
    using Write = std::function<std::string(std::uint32_t request_number)>;

    // How much room the replies need.
    enum class Room { ordinary, gateway };

    // Sends what `write` makes. Throws Error: engine_unavailable, read_only_server (on a standby), invalid_argument
    // where a gateway's room is asked for while other requests of this session are in progress.
    explicit EngineRequest(const Write& write, Room room = Room::ordinary);
    ~EngineRequest();
    EngineRequest(const EngineRequest&) = delete;
    EngineRequest& operator=(const EngineRequest&) = delete;

    // Sends one more part of the same request. Throws as the constructor does, and outcome_unknown when the engine that
    // took the first has gone.
    void add(const Write& write);

    // The next reply, valid until the next call here; nullopt when there is none after `wait` (negative: no limit).
    // Flushes rows to the client before it sleeps where `flush_client`. Ends early, by the server's own error, on
    // query cancel, statement_timeout, termination and, within half a second, the client's disconnect.
    // Throws Error outcome_unknown when the engine has gone.
    std::optional<FrameReader> next(std::chrono::milliseconds wait, bool flush_client = false);

    // Returns once the engine has taken the request out of the queue, or is gone; after a second at the latest. Needs
    // no interrupt to be handled, so that it can be called while an error passes.
    void wait_until_taken() const noexcept;

    // Whether the engine has taken all that this session sent out of the queue: what it committed before that can be
    // seen, and of what it commits after that it tells those who wait. Also true when the engine is gone.
    bool is_taken() const noexcept;

    // Whether a reply is there, which next() then gives at once. Throws Error outcome_unknown when the engine has gone.
    bool has_reply();

    // No further reply is expected, so that there is nothing to abandon.
    void done() noexcept { finished_ = true; }

private:
    std::uint32_t number_;
    std::uint64_t channel_generation_;
    std::string frame_;  // the reply handed out last, where it had to be kept
    bool finished_ = false;
};

// Whether an engine takes requests now: else sending one waits for it, or fails.
bool engine_takes_requests();

// Sleeps until one of `requests`, of which there may be none, has a reply, or `wait` has passed. Flushes rows to the
// client, and ends early, as EngineRequest::next() does. Throws Error outcome_unknown when the engine of a request has
// gone.
void wait_for_any(const std::vector<EngineRequest*>& requests, std::chrono::milliseconds wait, bool flush_client);

// Sends a request whose only reply is a flag, and returns it; false when none came in time (negative: no limit).
bool ask_engine(const EngineRequest::Write& write, std::chrono::milliseconds wait);

// Sends a request whose only reply is an answer, and returns it. Throws Error: the one that the engine answers with;
// engine_unavailable when no reply came in time.
std::string answer_of_engine(const EngineRequest::Write& write, std::chrono::milliseconds wait);

// Sends a request that is not answered, where an engine runs; else does nothing.
void tell_engine(const EngineRequest::Write& write);

}  // namespace pgchat::pg
