#include "pg/engine_queue.hpp"

#include "pg/engine_statement.hpp"

extern "C" {
#include "replication/syncrep.h"
}

namespace pgchat::pg {
namespace {

// Columns of chat_private.claim_requests().
namespace claim_column {
enum {
    user_id = 1,
    request_id,
    message_id,
    conversation_id,
    model,
    messages,
    system_prompt,
    response_format,
    options,
    timeout_ms,
    has_more,
    next_model,
    next_user,
    is_refused
};
}

ClaimedRequest read_request(const Row& row) {
    using namespace claim_column;
    ClaimedRequest request;
    request.user_id = row.uuid(user_id);
    request.request_id = row.uuid(request_id);
    request.message_id = row.uuid(message_id);
    request.conversation_id = row.uuid(conversation_id);
    request.model = row.text_at(model);
    request.text.messages = row.text_at(messages);
    request.text.system_prompt = row.text_at(system_prompt);
    request.text.response_format = row.json(response_format);
    request.text.options = row.json(options);
    request.timeout_ms = row.integer(timeout_ms);
    request.is_refused = row.boolean(is_refused);
    return request;
}

}  // namespace

bool EngineQueue::claim(std::size_t limit, const QueueHolds& holds,
                        const std::function<void(const ClaimedRequest&)>& take) {
    static Statement statement("SELECT * FROM chat_private.claim_requests($1, $2, $3, $4, $5)",
                               {INT4OID, TEXTOID, UUIDOID, TEXTARRAYOID, UUIDARRAYOID});
    bool more = false;
    std::string model_after;
    Uuid user_after;
    const auto read = [&] {
        ArrayColumn full_models(TEXTOID, holds.models.size()), full_users(UUIDOID, holds.users.size());
        for (const std::string& name : holds.models) full_models.add_text(name);
        for (const Uuid& user : holds.users) full_users.add(uuid_datum(user));
        Datum values[] = {Int32GetDatum(static_cast<std::int32_t>(limit)), text_datum(after_model_),
                          uuid_datum(after_user_), full_models.array(), full_users.array()};
        statement.execute(values);
        for (std::uint64_t i = 0; i < SPI_processed; ++i) {
            const Row row(i);
            take(read_request(row));
            more = row.boolean(claim_column::has_more);
            model_after = row.text_at(claim_column::next_model);
            user_after = row.uuid(claim_column::next_user);
        }
    };
    // The caller flushes it before anything is sent; only a standby that must have it too is waited for here.
    const bool has_standby = SyncRepStandbyNames != nullptr && SyncRepStandbyNames[0] != '\0';
    const Durability durability = has_standby ? Durability::flushed : Durability::asynchronous;
    if (in_transaction(durability, "claiming requests", read) != Outcome::committed) return false;
    // A claim that began midway and came to the end may not have seen what is before.
    may_have_more_ = more || (!after_model_.empty() && model_after.empty());
    holds_ = holds;
    after_model_ = std::move(model_after);
    after_user_ = user_after;
    return true;
}

}  // namespace pgchat::pg
