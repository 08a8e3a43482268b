// The durable queue as the engine takes from it: in turns of the users who wait for each model, going on where the last
// claim ended.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/llm/chat_request.hpp"
#include "core/uuid.hpp"

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
    bool is_refused = false;      // what it is to tell does not fit the model, or there is nothing to ask any more
};

// What is not to be claimed now: its calls would only wait in the engine.
struct QueueHolds {
    std::vector<std::string> models;
    std::vector<Uuid> users;

    bool operator==(const QueueHolds&) const = default;
};

class EngineQueue {
public:
    // Something may have been queued.
    void look_again() noexcept { may_have_more_ = true; }
    // Whether a claim may find something that the last one did not, with whatever is held now.
    bool may_have_more() const noexcept { return may_have_more_ || !holds_.models.empty() || !holds_.users.empty(); }
    // The same where that is known.
    bool may_have_more(const QueueHolds& holds) const { return may_have_more_ || holds != holds_; }

    // Takes up to `limit` requests, and tells `take` of each, within a transaction: nothing may be sent before that has
    // committed. False when it has not, which is in the server's log.
    bool claim(std::size_t limit, const QueueHolds& holds, const std::function<void(const ClaimedRequest&)>& take);

private:
    bool may_have_more_ = true;
    QueueHolds holds_;  // of the last claim
    // Where the next claim begins; empty: from the start.
    std::string after_model_;
    Uuid after_user_;
};

}  // namespace pgchat::pg
