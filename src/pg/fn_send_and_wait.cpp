// chat.send_and_wait: a procedure, so that the message is committed before the model is asked, and no snapshot is held
// while it thinks.
#include "pg/committing_call.hpp"
#include "pg/message_stream.hpp"
#include "pg/query_as.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// Calls chat.send_message with the procedure's own arguments, commits, and returns the id of the reply's row.
Uuid send_and_commit(FunctionCallInfo fcinfo) {
    // conversation_id, content, (reply), parent_id, model, attachments, idempotency_key, options
    constexpr int positions[] = {0, 1, 3, 4, 5, 6, 7};
    Datum values[7];
    char nulls[7];
    for (int i = 0; i < 7; ++i) {
        values[i] = fcinfo->args[positions[i]].value;
        nulls[i] = fcinfo->args[positions[i]].isnull ? 'n' : ' ';
    }
    const pg_uuid_t reply_id = call([&] {
        Oid types[] = {UUIDOID, TEXTOID, UUIDOID, TEXTOID, JSONBOID, TEXTOID, JSONBOID};
        SPI_connect_ext(SPI_OPT_NONATOMIC);
        const int result =
            SPI_execute_with_args("SELECT s.assistant_message_id FROM chat.send_message($1, $2, $3, $4, $5, $6, $7) s",
                                  7, types, values, nulls, false, 1);
        if (result < 0) elog(ERROR, "cannot execute: %s", SPI_result_code_string(result));
        bool is_null;
        const pg_uuid_t id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
        SPI_commit();
        SPI_finish();
        return id;
    });
    return uuid_from(reply_id);
}

ErrorCode code_of(EventKind kind) noexcept {
    if (kind == EventKind::cancelled) return ErrorCode::cancelled;
    return kind == EventKind::incomplete ? ErrorCode::incomplete_response : ErrorCode::provider_failed;
}

// The stream tells the reason in words; its SQLSTATE is in the reply's row, which is written first.
[[noreturn]] void throw_failure(const Uuid& message_id, EventKind kind, std::string_view reason) {
    const char* const name = query_text_as("pgchat_owner",
                                           "SELECT m.error ->> 'code' FROM chat.messages m "
                                           "WHERE m.user_id = chat.current_user_id() AND m.id = $1",
                                           {{UUIDOID, uuid_datum(message_id)}});
    const auto stored = error_code_from_name(name == nullptr ? "" : name);
    throw Error(stored.value_or(code_of(kind)), reason.empty() ? "the reply did not succeed" : std::string(reason),
                "The message is stored; chat.retry_message asks again, and chat.list_messages shows the error.");
}

std::string await_reply(const Uuid& message_id) {
    MessageStream stream(message_id, 0, std::nullopt);
    std::string reply;
    while (const std::optional<MessageStream::Event> event = stream.next(false)) {
        if (event->kind == EventKind::content) reply += event->text;
        if (event->kind == EventKind::snapshot) reply = event->text;
        if (is_terminal(event->kind) && event->kind != EventKind::done)
            throw_failure(message_id, event->kind, event->text);
    }
    return reply;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_send_and_wait);

Datum pgchat_send_and_wait(PG_FUNCTION_ARGS) {
    return entry([&] {
        require_outermost_call(fcinfo, "send_and_wait",
                               "Use CALL outside of BEGIN, or chat.ask, which lives in the caller's transaction.");
        const KeptIdentity caller;
        const Uuid reply_id = send_and_commit(fcinfo);
        caller.restore();
        Datum values[1] = {text_datum(await_reply(reply_id))};
        return call([&] {
            TupleDesc row_type;
            get_call_result_type(fcinfo, nullptr, &row_type);
            bool nulls[1] = {false};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
        });
    });
}

}  // extern "C"
