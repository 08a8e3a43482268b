// What backends have the engine do in transactions of its own, so that no ROLLBACK of theirs undoes it: many in one
// transaction and one flush to disk, each undone alone where it fails.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>

#include "core/clock.hpp"
#include "core/engine/ledger_act.hpp"

namespace pgchat::pg {

// One act that a backend asked for, and where its answer goes.
struct LedgerRequest {
    int process_number;
    std::uint32_t channel;  // the DSM handle
    std::uint32_t number;
    LedgerAct act;
    std::string payload;
    TimePoint give_up{};  // when it is refused, while a lock is in the way
    bool met_lock = false;
};

class EngineLedger {
public:
    using Answer = std::function<void(const LedgerRequest& request, std::string frame)>;

    EngineLedger(const Clock& clock, Answer answer) : clock_(clock), answer_(std::move(answer)) {}

    void add(LedgerRequest request);

    // Does what waits, as much as one turn of the loop may take, and then answers. What meets somebody's lock is set
    // aside and ends the turn; what came after it goes on in the next. Returns whether there was something to do.
    bool run();

    // The same for all that waits, which is refused where it cannot be done now.
    void finish();

    bool empty() const noexcept { return waiting_.empty() && set_aside_.empty(); }
    // When there is something to do again; only where it is not empty.
    TimePoint next_run() const noexcept { return std::max(not_before_, waiting_.empty() ? retry_at_ : not_before_); }

private:
    std::deque<LedgerRequest> next_batch();
    void put_back(std::deque<LedgerRequest>& batch);
    void refuse_overdue(std::deque<LedgerRequest>& requests);

    const Clock& clock_;
    const Answer answer_;
    std::deque<LedgerRequest> waiting_;
    std::deque<LedgerRequest> set_aside_;  // for a lock, in the order in which they are tried again
    TimePoint not_before_{};
    TimePoint retry_at_{};  // of set_aside_
};

}  // namespace pgchat::pg
