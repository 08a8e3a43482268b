// Writes how calls ended and what they used, and keeps the table of usage in order.
#include <algorithm>

#include "core/engine/completion_json.hpp"
#include "pg/array_column.hpp"
#include "pg/engine_statement.hpp"
#include "pg/engine_store.hpp"

namespace pgchat::pg {
namespace {

// Events that one turn of the loop rolls up, and rows of the default partition that it removes.
constexpr std::int32_t rollup_batch = 500;
constexpr std::int32_t removal_batch = 500;

// The columns of one SQL call, each an array with an element for each row.
class Columns {
public:
    Columns(const std::vector<Oid>& array_types, std::size_t rows) {
        for (const Oid type : array_types) columns_.emplace_back(call([&] { return get_element_type(type); }), rows);
    }

    ArrayColumn& operator[](std::size_t index) { return columns_[index]; }
    // Calls of a trusted backend without a user belong to the nil UUID.
    void add_owner(std::size_t index, const Uuid& user_id) { columns_[index].add(uuid_datum(user_id)); }

    // more: parameters that follow the columns.
    void execute(Statement& statement, std::initializer_list<Datum> more = {}) {
        std::vector<Datum> values;
        for (ArrayColumn& column : columns_) values.push_back(column.array());
        values.insert(values.end(), more);
        statement.execute(values.data());
    }

private:
    std::vector<ArrayColumn> columns_;
};

std::optional<std::int32_t> milliseconds_of(const std::optional<Milliseconds>& time) {
    return time ? std::optional<std::int32_t>(static_cast<std::int32_t>(time->count())) : std::nullopt;
}

void add_outcome(Columns& columns, const FinishedCall& finished) {
    const CallResult& result = finished.result;
    columns.add_owner(0, finished.user_id);
    columns[1].add_uuid(finished.request_id);
    columns[2].add_uuid(finished.message_id);
    columns[3].add_uuid(finished.conversation_id);
    columns[4].add_text(finished.model);
    columns[5].add_text(call_status_name(result.status));
    finished.log ? columns[6].add_text(finished.log->content()) : columns[6].add_null();
    finished.log ? columns[7].add_text_or_null(finished.log->thinking()) : columns[7].add_null();
    columns[8].add_text_or_null(result.tool_calls);
    columns[9].add_text_or_null(result.finish_reason);
    columns[10].add_text_or_null(result.error ? error_json(*result.error) : std::string());
    columns[11].add_bigint(result.usage.input_tokens);
    columns[12].add_bigint(result.usage.output_tokens);
    columns[13].add_bigint(result.usage.cached_tokens);
    columns[14].add_bigint(result.cost);
    columns[15].add_int(static_cast<std::int32_t>(result.latency.count()));
    columns[16].add_int(milliseconds_of(result.first_token));
    columns[17].add_int(static_cast<std::int32_t>(finished.last_seq));
    columns[18].add_bool(result.sanitized);
    columns[19].add_bool(true);
}

struct Recorded {
    // The requests whose rows somebody holds locked.
    std::vector<Uuid> busy;
    // Whether steps of deliberations may be among the calls.
    bool has_steps = false;
};

Recorded record_outcomes(const std::vector<FinishedCall*>& calls) {
    static const std::vector<Oid> types = {UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID,
                                           TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
                                           TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
                                           INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, BOOLARRAYOID, BOOLARRAYOID};
    static Statement statement(
        "SELECT f.busy_ids, f.has_steps FROM chat_private.finish_requests($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$11, "
        "$12, $13, $14, $15, $16, $17, $18, $19, $20) f",
        types);
    Columns columns(types, calls.size());
    for (const FinishedCall* finished : calls)
        if (finished->durable) add_outcome(columns, *finished);
    columns.execute(statement);
    const Row row(0);
    return {row.uuids(1), row.boolean(2)};
}

void add_attempt(Columns& columns, const FinishedCall& finished, const Attempt& attempt) {
    columns.add_owner(0, finished.user_id);
    columns[1].add_uuid(finished.request_id);
    columns[2].add_int(attempt.number);
    columns[3].add_uuid(finished.conversation_id);
    columns[4].add_uuid(finished.message_id);
    columns[5].add_text(attempt.model->name);
    columns[6].add_text(attempt.provider->name);
    columns[7].add_bigint(attempt.usage.input_tokens);
    columns[8].add_bigint(attempt.usage.output_tokens);
    columns[9].add_bigint(attempt.usage.cached_tokens);
    columns[10].add_bigint(attempt.cost);
    columns[11].add_bool(attempt.estimated);
    columns[12].add_bool(attempt.is_cached);
    columns[13].add_bool(attempt.own_key);
    columns[14].add_text(call_status_name(attempt.status));
    attempt.error ? columns[15].add_text(error_name(*attempt.error)) : columns[15].add_null();
    columns[16].add_int(static_cast<std::int32_t>(attempt.latency.count()));
    columns[17].add_int(milliseconds_of(attempt.first_token));
}

void record_usage(const std::vector<FinishedCall*>& calls, const Recorded& recorded) {
    static const std::vector<Oid> types = {UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, UUIDARRAYOID, UUIDARRAYOID,
                                           TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
                                           INT8ARRAYOID, BOOLARRAYOID, BOOLARRAYOID, BOOLARRAYOID, TEXTARRAYOID,
                                           TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID};
    static const std::vector<Oid> parameters = [] {
        std::vector<Oid> all = types;
        all.push_back(BOOLOID);
        return all;
    }();
    static Statement statement(
        "SELECT chat_private.record_usage($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
        "$18, $19)",
        parameters);
    Columns columns(types, calls.size());
    for (const FinishedCall* finished : calls) {
        if (std::find(recorded.busy.begin(), recorded.busy.end(), finished->request_id) != recorded.busy.end())
            continue;
        for (const Attempt& attempt : finished->result.attempts) add_attempt(columns, *finished, attempt);
    }
    columns.execute(statement, {BoolGetDatum(recorded.has_steps)});
}

}  // namespace

Outcome record_finished(const std::vector<FinishedCall*>& calls, std::vector<Uuid>& busy) {
    const bool any_durable =
        std::any_of(calls.begin(), calls.end(), [](const FinishedCall* finished) { return finished->durable; });
    busy.clear();
    return in_transaction(Durability::asynchronous, "recording finished calls", [&] {
        const Recorded recorded = any_durable ? record_outcomes(calls) : Recorded{};
        record_usage(calls, recorded);
        busy = recorded.busy;
    });
}

bool roll_up_usage(bool& more) {
    static Statement statement("SELECT chat_private.roll_up_usage($1)", {INT4OID});
    more = false;
    return in_transaction(Durability::asynchronous, "rolling usage up", [&] {
               Datum values[] = {Int32GetDatum(rollup_batch)};
               statement.execute(values);
               more = Row(0).integer(1) == rollup_batch;
           }) == Outcome::committed;
}

bool keep_usage_partitions(bool& ready) {
    static Statement make("SELECT chat_private.prepare_usage_partitions()", {});
    static Statement drop("SELECT chat_private.drop_old_usage($1)", {INT4OID});
    ready = false;
    const Outcome made = in_transaction(Durability::asynchronous, "making partitions of usage", [&] {
        make.execute(nullptr);
        ready = Row(0).boolean(1);
    });
    ready = ready && made == Outcome::committed;
    return in_transaction(Durability::asynchronous, "dropping old usage", [] {
               Datum values[] = {Int32GetDatum(removal_batch)};
               drop.execute(values);
           }) == Outcome::committed;
}

}  // namespace pgchat::pg
