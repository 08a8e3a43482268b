#include "pg/engine_sealed_rows.hpp"

#include <algorithm>
#include <cstring>

#include "pg/engine_statement.hpp"
#include "pg/sealing.hpp"

namespace pgchat::pg {
namespace {

constexpr const char* sealing_activity = "sealing with the new master key";
// Small enough that no stream waits for a page.
constexpr std::int32_t sealed_page_rows = 64;

std::uint64_t number_of(std::string_view key_id) noexcept {
    std::uint64_t number = 0;
    static_assert(sizeof number == master_key_id_bytes);
    std::memcpy(&number, key_id.data(), sizeof number);
    return number;
}

// The databases in which objects of pgchat are, this one included.
std::vector<Oid> databases() {
    static Statement statement("SELECT * FROM chat_private.databases_with_secrets()", {});
    statement.execute(nullptr);
    std::vector<Oid> found;
    for (std::uint64_t i = 0; i < SPI_processed; ++i)
        if (const std::optional<Datum> oid = Row(i).value(1)) found.push_back(DatumGetObjectId(*oid));
    return found;
}

bool is_sealed_with(Oid database, std::uint64_t key) noexcept {
    EngineSlot* const slot = find_engine(database);
    return slot != nullptr && pg_atomic_read_u64(&slot->sealed_with) == key;
}

}  // namespace

bool EngineSealedRows::is_quiet() {
    bool quiet = false;
    in_transaction(Durability::asynchronous, sealing_activity, [&] { quiet = nobody_seals(); });
    return quiet;
}

void EngineSealedRows::rewind() {
    columns_.clear();
    place_ = {};
}

SealedStore::Page EngineSealedRows::next_page(const Reseal& reseal) {
    static Statement statement("SELECT c.name FROM chat_private.sealed_columns() c ORDER BY c.name", {});
    Place next;
    // Flushed: the older key is dropped on the strength of it.
    const Outcome outcome = in_transaction(Durability::flushed, sealing_activity, [&] {
        if (columns_.empty()) {
            statement.execute(nullptr);
            for (std::uint64_t i = 0; i < SPI_processed; ++i) columns_.emplace_back(Row(i).text_at(1));
        }
        next = page_after(place_, reseal);
    });
    if (outcome != Outcome::committed) return Page::failed;
    place_ = next;
    return place_.column < columns_.size() ? Page::more : Page::last;
}

EngineSealedRows::Place EngineSealedRows::page_after(const Place& place, const Reseal& reseal) {
    static Statement select("SELECT * FROM chat_private.sealed_page($1, $2, $3, $4)",
                            {TEXTOID, UUIDOID, UUIDOID, INT4OID});
    static Statement update("SELECT chat_private.replace_sealed($1, $2, $3, $4)",
                            {TEXTOID, UUIDARRAYOID, UUIDARRAYOID, BYTEAARRAYOID});
    const std::string& column = columns_.at(place.column);
    Datum wanted[] = {text_datum(column), uuid_datum(place.user_id), uuid_datum(place.row_id),
                      Int32GetDatum(sealed_page_rows)};
    select.execute(wanted);
    const std::uint64_t count = SPI_processed;
    if (count == 0) return {place.column + 1, {}, {}};
    Place last = place;
    ArrayColumn users(UUIDOID, count), ids(UUIDOID, count), sealed(BYTEAOID, count);
    bool any = false;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Row row(i);
        last.user_id = row.uuid(2);
        last.row_id = row.uuid(3);
        const auto anew = reseal({row.text_at(1), last.user_id, last.row_id}, row.bytes_at(4));
        if (!anew) continue;
        any = true;
        users.add(uuid_datum(last.user_id));
        ids.add(uuid_datum(last.row_id));
        sealed.add(bytea_datum(*anew));
    }
    Datum values[] = {text_datum(column), users.array(), ids.array(), sealed.array()};
    if (any) update.execute(values);
    return last;
}

std::optional<SealedStore::Counts> EngineSealedRows::count(const std::vector<std::string>& key_ids) {
    static Statement statement("SELECT * FROM chat_private.count_sealed($1)", {BYTEAARRAYOID});
    std::optional<Counts> counted;
    const Outcome outcome = in_transaction(Durability::asynchronous, sealing_activity, [&] {
        ArrayColumn ids(BYTEAOID, key_ids.size());
        for (const std::string& id : key_ids) ids.add(bytea_datum(id));
        Datum values[] = {ids.array()};
        statement.execute(values);
        const Row row(0);
        counted = Counts{DatumGetInt64(row.value(1).value()), DatumGetInt64(row.value(2).value())};
    });
    return outcome == Outcome::committed ? counted : std::nullopt;
}

std::optional<bool> EngineSealedRows::holds_secrets() {
    static Statement statement("SELECT chat_private.holds_secrets()", {});
    std::optional<bool> holds;
    const Outcome outcome = in_transaction(Durability::asynchronous, "looking for sealed secrets", [&] {
        statement.execute(nullptr);
        holds = DatumGetBool(Row(0).value(1).value());
    });
    return outcome == Outcome::committed ? holds : std::nullopt;
}

bool EngineSealedRows::all_sealed_with(std::string_view key_id) {
    const std::uint64_t key = number_of(key_id);
    pg_atomic_write_u64(&slot_.sealed_with, key);
    bool all = false;
    const Outcome outcome = in_transaction(Durability::asynchronous, sealing_activity, [&] {
        const std::vector<Oid> found = databases();
        all = std::all_of(found.begin(), found.end(), [&](Oid database) { return is_sealed_with(database, key); });
    });
    return outcome == Outcome::committed && all;
}

}  // namespace pgchat::pg
