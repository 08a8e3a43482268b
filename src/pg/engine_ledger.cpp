#include "pg/engine_ledger.hpp"

#include <algorithm>
#include <map>

#include "core/engine/frames.hpp"
#include "pg/engine_statement.hpp"
#include "pg/engine_transaction.hpp"

namespace pgchat::pg {
namespace {

constexpr const char* activity = "keeping the ledger";
// As many as the server keeps of a transaction's parts in shared memory; more would slow down every snapshot.
constexpr std::size_t batch_size = 60;
constexpr Milliseconds lock_retry_delay{50};
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
        switch (in_subtransaction(activity, [&] { answer = do_act(request.act, request.payload); })) {
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

void EngineLedger::run() {
    if (waiting_.empty() || clock_.now() < not_before_) return;
    const std::size_t size = std::min(waiting_.size(), batch_size);
    std::vector<std::string> replies;
    bool locked = false;
    const Outcome outcome = in_transaction(Durability::flushed, activity, [&] {
        while (replies.size() < size && !locked) {
            std::optional<std::string> reply = reply_to(waiting_[replies.size()]);
            locked = !reply;
            if (reply) replies.push_back(std::move(*reply));
        }
    });
    for (std::string& reply : replies) {
        const LedgerRequest request = std::move(waiting_.front());
        waiting_.pop_front();
        answer_(request, outcome == Outcome::committed ? std::move(reply) : unavailable(request.number));
    }
    if (outcome == Outcome::committed && !locked) return;
    not_before_ = clock_.now() + lock_retry_delay;
    refuse_overdue();
}

void EngineLedger::finish() {
    while (!waiting_.empty()) {
        not_before_ = {};
        const std::size_t before = waiting_.size();
        run();
        if (waiting_.size() < before) continue;
        answer_(waiting_.front(), unavailable(waiting_.front().number));
        waiting_.pop_front();
    }
}

void EngineLedger::refuse_overdue() {
    while (!waiting_.empty() && waiting_.front().give_up <= clock_.now()) {
        answer_(waiting_.front(), unavailable(waiting_.front().number));
        waiting_.pop_front();
    }
}

}  // namespace pgchat::pg
