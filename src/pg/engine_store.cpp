#include "pg/engine_store.hpp"

#include "pg/array_column.hpp"
#include "pg/engine_statement.hpp"

namespace pgchat::pg {
namespace {

// Rows of each kind that one turn of the loop removes, so that no stream waits for it.
constexpr std::int32_t tidy_batch = 500;

}  // namespace

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
