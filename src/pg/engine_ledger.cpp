#include "pg/engine_ledger.hpp"

#include <algorithm>
#include <map>

#include "core/engine/frames.hpp"
#include "pg/engine_statement.hpp"
#include "pg/engine_transaction.hpp"

namespace pgchat::pg {
namespace {

constexpr const char* ledger_activity = "keeping the ledger";
// As many as the server keeps of a transaction's parts in shared memory; more would slow down every snapshot.
constexpr std::size_t ledger_batch = 60;
// Each lock that is met costs the whole engine the server's lock_timeout of 20 ms, so that a turn meets one at most,
// and what has met one is tried again more rarely than what has not.
constexpr Milliseconds lock_pause{20};
constexpr Milliseconds lock_retry_delay{100};
constexpr Milliseconds longest_lock_wait{5000};

std::string do_act(LedgerAct act, std::string_view payload) {
    static std::map<LedgerAct, Statement> statements;
    auto found = statements.find(act);
    if (found == statements.end())
        found = statements.emplace(act, Statement(ledger_act_statement(act), {TEXTOID})).first;
    Datum values[] = {text_datum(payload)};
    found->second.execute(values);
    return std::string(Row(0).text_at(1));
}

// The reply to one request; none where a lock is in the way.
std::optional<std::string> reply_to(const LedgerRequest& request) {
    std::string answer;
    try {
        switch (in_subtransaction(ledger_activity, [&] { answer = do_act(request.act, request.payload); })) {
            case Outcome::committed:
                return write_answer(request.number, answer);
            case Outcome::locked:
                return std::nullopt;
            case Outcome::failed:
                break;
        }
    } catch (const Error& error) {
        return write_error(request.number, error);
    }
    return write_error(request.number,
                       Error(ErrorCode::internal, "the engine could not do what was asked", "See the server log."));
}

std::string unavailable(std::uint32_t number) {
    return write_error(number, Error(ErrorCode::engine_unavailable, "the engine could not write what was asked in time",
                                     "Try again; if it goes on, see the server log for locks."));
}

}  // namespace

void EngineLedger::add(LedgerRequest request) {
    request.give_up = clock_.now() + longest_lock_wait;
    waiting_.push_back(std::move(request));
}

// New ones first: somebody's lock must not hold up those who have nothing to do with it.
std::deque<LedgerRequest> EngineLedger::next_batch() {
    std::deque<LedgerRequest> batch;
    const auto take = [&](std::deque<LedgerRequest>& from, std::size_t most) {
        for (most = std::min(most, from.size()); most > 0; --most) {
            batch.push_back(std::move(from.front()));
            from.pop_front();
        }
    };
    const std::size_t again = clock_.now() >= retry_at_ ? std::min(set_aside_.size(), ledger_batch / 4) : 0;
    take(waiting_, ledger_batch - again);
    take(set_aside_, again);
    return batch;
}

void EngineLedger::put_back(std::deque<LedgerRequest>& batch) {
    for (; !batch.empty(); batch.pop_back()) {
        std::deque<LedgerRequest>& from = batch.back().met_lock ? set_aside_ : waiting_;
        from.push_front(std::move(batch.back()));
    }
}

bool EngineLedger::run() {
    if (empty() || clock_.now() < next_run()) return false;
    std::deque<LedgerRequest> batch = next_batch();
    std::vector<std::string> replies;
    bool locked = false;
    const Outcome outcome = in_transaction(Durability::flushed, ledger_activity, [&] {
        while (replies.size() < batch.size() && !locked) {
            std::optional<std::string> reply = reply_to(batch[replies.size()]);
            locked = !reply;
            if (reply) replies.push_back(std::move(*reply));
        }
    });
    for (std::string& reply : replies) {
        const LedgerRequest request = std::move(batch.front());
        batch.pop_front();
        answer_(request, outcome == Outcome::committed ? std::move(reply) : unavailable(request.number));
    }
    if (locked) {
        batch.front().met_lock = true;
        set_aside_.push_back(std::move(batch.front()));
        batch.pop_front();
        retry_at_ = clock_.now() + lock_retry_delay;
    }
    put_back(batch);
    if (outcome != Outcome::committed || locked) {
        not_before_ = clock_.now() + lock_pause;
        refuse_overdue(set_aside_);
        refuse_overdue(waiting_);
    }
    return true;
}

void EngineLedger::finish() {
    while (!empty()) {
        not_before_ = retry_at_ = {};
        const std::size_t before = waiting_.size() + set_aside_.size();
        run();
        if (waiting_.size() + set_aside_.size() < before) continue;
        std::deque<LedgerRequest>& stuck = set_aside_.empty() ? waiting_ : set_aside_;
        answer_(stuck.front(), unavailable(stuck.front().number));
        stuck.pop_front();
    }
}

void EngineLedger::refuse_overdue(std::deque<LedgerRequest>& requests) {
    for (auto request = requests.begin(); request != requests.end();) {
        if (request->give_up > clock_.now()) {
            ++request;
            continue;
        }
        answer_(*request, unavailable(request->number));
        request = requests.erase(request);
    }
}

}  // namespace pgchat::pg
