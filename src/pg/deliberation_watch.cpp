#include "pg/deliberation_watch.hpp"

#include <algorithm>

#include "pg/fresh_look.hpp"
#include "pg/identity.hpp"
#include "pg/identity_check.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"
}

namespace pgchat::pg {
namespace {

using std::chrono::milliseconds;

// What no call's end tells, such as a pause, is seen this late.
constexpr milliseconds look_interval{500};
constexpr milliseconds number_check_interval{1};
constexpr milliseconds longest_wait_until_taken{500};
// As many calls are waited for at once; the channel keeps places for the numbers of abandoned requests.
constexpr std::size_t most_waits = 16;
constexpr std::int32_t most_news = 100;

constexpr const char* state_query =
    "SELECT w.status, w.last_seq, w.open_steps FROM chat_private.watched_deliberation($1, $2) w";
constexpr const char* news_query =
    "SELECT n.seq, n.round_number, n.created_at, n.event, n.kind, n.phase, n.persona_code, n.name, n.content"
    " FROM chat_private.deliberation_news($1, $2, $3, $4) n";

SPIPlanPtr kept_plan(SPIPlanPtr& plan, const char* query, int arguments) {
    if (plan != nullptr) return plan;
    Oid types[] = {UUIDOID, UUIDOID, INT4OID, INT4OID};
    SPIPlanPtr const prepared = SPI_prepare(query, arguments, types);
    if (prepared == nullptr) elog(ERROR, "cannot prepare: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(prepared);
    return plan = prepared;
}

void run(SPIPlanPtr& plan, const char* query, int arguments, Datum* values) {
    call([&] {
        const int status = SPI_execute_plan(kept_plan(plan, query, arguments), values, nullptr, true, 0);
        if (status < 0) elog(ERROR, "cannot execute: %s", SPI_result_code_string(status));
    });
}

std::optional<std::string> row_text(std::uint64_t row, int column) {
    const char* const value =
        call([&] { return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column); });
    if (value == nullptr) return std::nullopt;
    return value;
}

Datum column_value(std::uint64_t row, int column) {
    return call([&] {
        bool is_null = true;
        const Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
        return is_null ? Datum{0} : value;
    });
}

// As a SECURITY DEFINER function would: with the owner's rights, and the caller's identity for the row policies.
// The end of the subtransaction gives the caller's rights back.
void become_owner_now() {
    call([] {
        Oid caller;
        int context;
        GetUserIdAndSecContext(&caller, &context);
        SetUserIdAndSecContext(get_role_oid("pgchat_owner", false), context | SECURITY_LOCAL_USERID_CHANGE);
        PushActiveSnapshot(GetLatestSnapshot());
        SPI_connect();
    });
}

}  // namespace

std::vector<DeliberationWatch::News> DeliberationWatch::look() {
    check_in_long_statement();
    return look_and_undo([&] {
        become_owner_now();
        read_state();
        std::vector<News> news = is_behind() ? read_news() : std::vector<News>{};
        call([] {
            SPI_finish();
            PopActiveSnapshot();
        });
        return news;
    });
}

void DeliberationWatch::read_state() {
    static SPIPlanPtr plan = nullptr;
    Datum values[] = {uuid_datum(require_identity().user_id), uuid_datum(deliberation_id_)};
    run(plan, state_query, 2, values);
    status_ = row_text(0, 1).value_or("");
    last_seq_ = DatumGetInt32(column_value(0, 2));
    open_steps_.clear();
    const std::string ids = row_text(0, 3).value_or("");
    constexpr std::size_t id_size = 36;
    for (std::size_t at = 0; at + id_size <= ids.size(); at += id_size + 1)
        if (const std::optional<Uuid> id = parse_uuid(std::string_view(ids).substr(at, id_size)))
            open_steps_.push_back(*id);
}

std::vector<DeliberationWatch::News> DeliberationWatch::read_news() {
    static SPIPlanPtr plan = nullptr;
    const std::int32_t up_to = std::min(last_seq_ - after_seq_, most_news) + after_seq_;
    Datum values[] = {uuid_datum(require_identity().user_id), uuid_datum(deliberation_id_), Int32GetDatum(after_seq_),
                      Int32GetDatum(up_to)};
    run(plan, news_query, 4, values);
    std::vector<News> news(SPI_processed);
    for (std::uint64_t row = 0; row < news.size(); ++row) {
        News& one = news[row];
        one.seq = DatumGetInt32(column_value(row, 1));
        one.round_number = DatumGetInt32(column_value(row, 2));
        one.created_at = DatumGetInt64(column_value(row, 3));
        std::optional<std::string>* const texts[] = {&one.event,        &one.kind, &one.phase,
                                                     &one.persona_code, &one.name, &one.content};
        for (int i = 0; i < 6; ++i) *texts[i] = row_text(row, 4 + i);
    }
    after_seq_ = up_to;
    return news;
}

void DeliberationWatch::wait(bool flush_client) {
    try {
        if (join_open_steps()) {
            // What ended before the engine knew that somebody waits has to be looked for.
            wait_until_taken(flush_client);
            take_replies();
            return;
        }
        wait_for_any(waits(), look_interval, flush_client);
        take_replies();
        return;
    } catch (const Error& error) {
        const bool no_engine = error.code() == ErrorCode::outcome_unknown ||
                               error.code() == ErrorCode::engine_unavailable ||
                               error.code() == ErrorCode::read_only_server;
        if (!no_engine) throw;
    }
    // Another engine will be told again.
    waits_.clear();
    wait_for_any({}, look_interval, flush_client);
}

// Has the engine tell the end of the open steps; true where it was asked for another one.
bool DeliberationWatch::join_open_steps() {
    std::erase_if(waits_, [&](const auto& wait) {
        return std::find(open_steps_.begin(), open_steps_.end(), wait.first) == open_steps_.end();
    });
    bool asked = false;
    for (const Uuid& step : open_steps_) {
        if (waits_.size() >= most_waits || waits_.contains(step)) continue;
        if (!engine_takes_requests()) return asked;
        const Uuid user_id = require_identity().user_id;
        waits_[step] = std::make_unique<EngineRequest>([&](std::uint32_t number) {
            return FrameWriter(RequestKind::wait, number).uuid(user_id).uuid(step).take();
        });
        asked = true;
    }
    return asked;
}

void DeliberationWatch::wait_until_taken(bool flush_client) {
    const std::vector<EngineRequest*> asked = waits();
    const auto deadline = std::chrono::steady_clock::now() + longest_wait_until_taken;
    while (!asked.front()->is_taken() && std::chrono::steady_clock::now() < deadline) {
        for (EngineRequest* const request : asked)
            if (request->has_reply()) return;
        wait_for_any({}, number_check_interval, flush_client);
    }
}

// The engine says nothing but that a call has ended, or that it cannot say.
void DeliberationWatch::take_replies() {
    for (auto& [step, request] : waits_) {
        if (request == nullptr || !request->has_reply()) continue;
        request->done();
        request.reset();
    }
}

std::vector<EngineRequest*> DeliberationWatch::waits() const {
    std::vector<EngineRequest*> requests;
    for (const auto& [step, request] : waits_)
        if (request != nullptr) requests.push_back(request.get());
    return requests;
}

}  // namespace pgchat::pg
