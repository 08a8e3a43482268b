// chat.follow_deliberation, whose rows come while it runs, and chat.run_deliberation, a procedure, so that nothing is
// held while the board deliberates.
#include <deque>

#include "pg/committing_call.hpp"
#include "pg/deliberation_watch.hpp"
#include "pg/query_as.hpp"
#include "pg/value_per_call.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

using News = DeliberationWatch::News;

// The rows of chat.follow_deliberation.
class DeliberationRows {
public:
    DeliberationRows(const Uuid& deliberation_id, std::int32_t after_seq) : watch_(deliberation_id, after_seq) {
        take(watch_.look());
    }

    bool next(Datum* values, bool* nulls) {
        while (news_.empty()) {
            if (watch_.has_ended()) return false;
            if (!watch_.is_behind()) watch_.wait(true);
            take(watch_.look());
        }
        const News row = std::move(news_.front());
        news_.pop_front();
        values[0] = Int32GetDatum(row.seq);
        const std::optional<std::string>* const texts[] = {&row.event,        &row.kind, &row.phase,  nullptr,
                                                           &row.persona_code, &row.name, &row.content};
        for (int i = 0; i < 7; ++i) {
            if (texts[i] == nullptr) continue;
            nulls[i + 1] = !texts[i]->has_value();
            if (texts[i]->has_value()) values[i + 1] = text_datum(**texts[i]);
        }
        values[4] = Int32GetDatum(row.round_number);
        values[8] = TimestampTzGetDatum(row.created_at);
        return true;
    }

private:
    void take(std::vector<News> news) { std::move(news.begin(), news.end(), std::back_inserter(news_)); }

    DeliberationWatch watch_;
    std::deque<News> news_;
};

// Rows would come of what the other statements of such a transaction can never see.
void require_fresh_snapshots() {
    call([] {
        if (!IsolationUsesXactSnapshot()) return;
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("a deliberation cannot be followed in a transaction that sees one state of the data only"),
                 errhint("Follow it at the isolation level READ COMMITTED.")));
    });
}

void commit_as(const KeptIdentity& caller) {
    call([] {
        SPI_connect_ext(SPI_OPT_NONATOMIC);
        SPI_commit();
        SPI_finish();
    });
    caller.restore();
}

std::string state_text(const char* sql, const KeptIdentity& caller, const Uuid& id) {
    const char* const text =
        query_text_as("pgchat_owner", sql, {{UUIDOID, uuid_datum(caller.user_id())}, {UUIDOID, uuid_datum(id)}});
    return text == nullptr ? "" : text;
}

void tell(const std::string& text) {
    if (!text.empty()) call([&] { ereport(NOTICE, (errmsg("%s", text.c_str()))); });
}

// Tells of each phase and round that began at one of these checkpoints, and where it stands at the first one.
void tell_stages(const KeptIdentity& caller, const Uuid& id, const std::vector<News>& news, bool& is_first) {
    if (news.empty()) return;
    for (std::int32_t seq = news.front().seq; seq <= news.back().seq; ++seq) {
        const char* const stage = query_text_as("pgchat_owner", "SELECT chat_private.stage_notice($1, $2, $3, $4)",
                                                {{UUIDOID, uuid_datum(caller.user_id())},
                                                 {UUIDOID, uuid_datum(id)},
                                                 {INT4OID, Int32GetDatum(seq)},
                                                 {BOOLOID, BoolGetDatum(is_first)}});
        is_first = false;
        if (stage != nullptr) tell(stage);
    }
}

void run_to_end(const Uuid& id) {
    const KeptIdentity caller;
    const std::string first = state_text("SELECT chat_private.begin_run($1, $2)::pg_catalog.text", caller, id);
    commit_as(caller);
    DeliberationWatch watch(id, std::stoi(first));
    bool is_first = true;
    for (;;) {
        tell_stages(caller, id, watch.look(), is_first);
        // Each look ends its transaction, so that none is old, nor holds a snapshot at any isolation level.
        commit_as(caller);
        if (watch.has_ended()) break;
        if (!watch.is_behind()) watch.wait(false);
    }
    tell(state_text("SELECT chat_private.end_of_run($1, $2)", caller, id));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_follow_deliberation);
PG_FUNCTION_INFO_V1(pgchat_run_deliberation);

Datum pgchat_follow_deliberation(PG_FUNCTION_ARGS) {
    return entry([&] {
        return value_per_call<DeliberationRows>(fcinfo, [&] {
            const Args args(fcinfo);
            require_identity();
            args.require(0, "id");
            const int after_seq = args.int32_at(1, 0);
            if (after_seq < 0) throw Error(ErrorCode::invalid_argument, "after_seq must not be negative");
            require_fresh_snapshots();
            return std::make_unique<DeliberationRows>(args.uuid_at(0), after_seq);
        });
    });
}

Datum pgchat_run_deliberation(PG_FUNCTION_ARGS) {
    return entry([&] {
        require_outermost_call(fcinfo, "run_deliberation",
                               "Use CALL outside of BEGIN, or chat.start_deliberation and chat.follow_deliberation.");
        require_identity();
        const Args args(fcinfo);
        args.require(0, "id");
        run_to_end(args.uuid_at(0));
        return Datum{0};
    });
}

}  // extern "C"
