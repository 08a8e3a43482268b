#include "pg/engine_search.hpp"

#include <algorithm>

#include "core/engine/load_meter.hpp"
#include "pg/engine_statement.hpp"

namespace pgchat::pg {
namespace {

// Users that one look covers: about as long as a slice of filing.
constexpr std::int32_t users_per_look = 100;
constexpr Milliseconds shortest_pause{5};
// However busy the engine is, for what is not filed is read by each search.
constexpr Milliseconds longest_pause{4000};
// A round over all users is followed by a rest of 200 times what it took, within these.
constexpr Milliseconds shortest_rest{10'000};
constexpr Milliseconds longest_rest{600'000};
constexpr int rest_factor = 200;
constexpr Milliseconds filing_retry_delay{1000};
// So long after a call another one is likely.
constexpr Milliseconds quiet{1000};
// Pauses, as a multiple of what they follow: so that of a hundred calls not one meets a slice.
constexpr int idle_factor = 1;
constexpr int busy_factor = 199;
constexpr int loaded_factor = 999;

bool file_messages(const Uuid& user_id, bool& more) {
    static Statement statement("SELECT chat_private.file_messages($1)", {UUIDOID});
    more = false;
    return in_transaction(Durability::asynchronous, "filing messages for searches", [&] {
               Datum values[] = {uuid_datum(user_id)};
               statement.execute(values);
               more = Row(0).boolean(1);
           }) == Outcome::committed;
}

// `looked_to` becomes nil where there is no further user.
bool find_users(Uuid& looked_to, std::deque<Uuid>& found) {
    static Statement statement("SELECT f.looked_to, f.user_ids FROM chat_private.users_to_file($1, $2) f",
                               {UUIDOID, INT4OID});
    return in_transaction(Durability::asynchronous, "looking for messages to file", [&] {
               Datum values[] = {uuid_datum(looked_to), Int32GetDatum(users_per_look)};
               statement.execute(values);
               const Row row(0);
               for (const Uuid& id : row.uuids(2)) found.push_back(id);
               looked_to = row.uuid(1);
           }) == Outcome::committed;
}

}  // namespace

void EngineSearch::run(std::uint64_t calls, bool is_idle, double load) {
    const TimePoint begin = clock_.now();
    if (calls != calls_seen_ || !is_idle) last_call_ = begin;
    calls_seen_ = calls;
    if (begin < next_run_) return;
    if (waiting_.empty())
        look_further();
    else
        file_next();
    const TimePoint end = clock_.now();
    const auto spent = std::chrono::duration_cast<Milliseconds>(end - begin);
    round_cost_ += spent;
    const bool is_quiet = begin - last_call_ >= quiet;
    const int factor = is_quiet ? idle_factor : load < heavy_load ? busy_factor : loaded_factor;
    Milliseconds pause = std::clamp(spent * factor, shortest_pause, longest_pause);
    // At its end, once what it has found is filed as far as can be.
    if (waiting_.empty() && looked_to_ == Uuid{}) {
        pause = std::clamp(round_cost_ * rest_factor, shortest_rest, longest_rest);
        round_cost_ = Milliseconds(0);
    }
    next_run_ = std::max(next_run_, end + pause);
}

void EngineSearch::file_next() {
    bool more = false;
    const bool filed = file_messages(waiting_.front(), more);
    // Who cannot be filed now is found again in the next round.
    if (!filed || !more) waiting_.pop_front();
    if (!filed) next_run_ = clock_.now() + filing_retry_delay;
}

void EngineSearch::look_further() {
    if (!find_users(looked_to_, waiting_)) next_run_ = clock_.now() + filing_retry_delay;
}

}  // namespace pgchat::pg
