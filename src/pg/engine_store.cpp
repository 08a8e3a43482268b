#include "pg/engine_store.hpp"

#include "pg/array_column.hpp"
#include "pg/engine_statement.hpp"

namespace pgchat::pg {
namespace {

// Rows of each kind that one turn of the loop removes, so that no stream waits for it.
constexpr std::int32_t tidy_batch = 500;

// The error as messages.error and llm_requests.error keep it.
std::string error_json(const std::optional<Error>& error) {
    if (!error) return {};
    Json json{{"code", error_name(error->code())}, {"sqlstate", sqlstate(error->code())}, {"message", error->what()}};
    if (!error->hint().empty()) json["hint"] = error->hint();
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

bool claim_requests(std::size_t limit, const std::function<void(const ClaimedRequest&)>& take, std::size_t& claimed) {
    static Statement statement("SELECT * FROM chat_private.claim_requests($1)", {INT4OID});
    claimed = 0;
    // Flushed before anything is sent: after a crash nobody may send it again.
    return in_transaction(Durability::flushed, "claiming requests", [&] {
               Datum values[] = {Int32GetDatum(static_cast<std::int32_t>(limit))};
               statement.execute(values);
               for (std::uint64_t i = 0; i < SPI_processed; ++i) {
                   const Row row(i);
                   ClaimedRequest request;
                   request.user_id = row.uuid(1);
                   request.request_id = row.uuid(2);
                   request.message_id = row.uuid(3);
                   request.conversation_id = row.uuid(4);
                   request.model = row.text_at(5);
                   request.text.messages = row.json(6);
                   request.text.system_prompt = row.text_at(7);
                   request.text.response_format = row.json(8);
                   request.text.options = row.json(9);
                   request.timeout_ms = row.integer(10);
                   take(request);
                   ++claimed;
               }
           }) == Outcome::committed;
}

bool save_checkpoints(const std::vector<Checkpoint>& checkpoints) {
    static Statement statement("SELECT chat_private.checkpoint_messages($1, $2, $3, $4)",
                               {UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
    return in_transaction(Durability::asynchronous, "saving checkpoints", [&] {
               const std::size_t count = checkpoints.size();
               ArrayColumn users(UUIDOID, count), messages(UUIDOID, count), contents(TEXTOID, count),
                   thinkings(TEXTOID, count);
               for (const Checkpoint& checkpoint : checkpoints) {
                   users.add_uuid(checkpoint.user_id);
                   messages.add_uuid(checkpoint.message_id);
                   contents.add_text(checkpoint.log->content());
                   thinkings.add_text_or_null(checkpoint.log->thinking());
               }
               Datum values[] = {users.array(), messages.array(), contents.array(), thinkings.array()};
               statement.execute(values);
           }) == Outcome::committed;
}

Outcome record_finished(const std::vector<FinishedCall*>& calls, std::vector<Uuid>& busy) {
    static const std::vector<Oid> types = {
        UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
        TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
        BOOLARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, BOOLARRAYOID, BOOLARRAYOID};
    static Statement statement(
        "SELECT chat_private.finish_requests($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
        "$17, $18, $19, $20, $21, $22)",
        types);
    return in_transaction(Durability::asynchronous, "recording finished calls", [&] {
        std::vector<ArrayColumn> columns;
        for (const Oid type : types) columns.emplace_back(call([&] { return get_element_type(type); }), calls.size());
        for (const FinishedCall* finished : calls) {
            const CallResult& result = finished->result;
            const bool has_user = finished->user_id != Uuid{};
            // Calls of a trusted backend without a user belong to the nil UUID.
            has_user ? columns[0].add_uuid(finished->user_id) : columns[0].add(uuid_datum(Uuid{}));
            columns[1].add_uuid(finished->request_id);
            columns[2].add_uuid(finished->message_id);
            columns[3].add_uuid(finished->conversation_id);
            columns[4].add_text(finished->model);
            columns[5].add_text_or_null(finished->provider);
            columns[6].add_text(call_status_name(result.status));
            finished->log ? columns[7].add_text(finished->log->content()) : columns[7].add_null();
            finished->log ? columns[8].add_text_or_null(finished->log->thinking()) : columns[8].add_null();
            columns[9].add_text_or_null(result.tool_calls);
            columns[10].add_text_or_null(result.finish_reason);
            columns[11].add_text_or_null(error_json(result.error));
            columns[12].add_bigint(result.usage.input_tokens);
            columns[13].add_bigint(result.usage.output_tokens);
            columns[14].add_bigint(result.usage.cached_tokens);
            columns[15].add_bigint(result.cost);
            columns[16].add_bool(result.estimated);
            columns[17].add_int(static_cast<std::int32_t>(result.latency.count()));
            columns[18].add_int(result.first_token ? std::optional<std::int32_t>(result.first_token->count())
                                                   : std::nullopt);
            columns[19].add_int(static_cast<std::int32_t>(finished->last_seq));
            columns[20].add_bool(result.sanitized);
            columns[21].add_bool(finished->durable);
        }
        std::vector<Datum> values;
        for (ArrayColumn& column : columns) values.push_back(column.array());
        statement.execute(values.data());
        busy = Row(0).uuids(1);
    });
}

bool recover_requests() {
    static Statement statement("SELECT chat_private.recover_requests()", {});
    return in_transaction(Durability::flushed, "recovering requests", [] { statement.execute(nullptr); }) ==
           Outcome::committed;
}

bool tidy(bool& more) {
    static Statement statement("SELECT chat_private.tidy($1)", {INT4OID});
    more = false;
    return in_transaction(Durability::asynchronous, "tidying", [&] {
               Datum values[] = {Int32GetDatum(tidy_batch)};
               statement.execute(values);
               more = Row(0).boolean(1);
           }) == Outcome::committed;
}

}  // namespace pgchat::pg
