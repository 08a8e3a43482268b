// SQL function that looks through a user's chunks, and the messages that are in none yet, for what a query may find.
#include <map>

#include "core/search/search_ranking.hpp"
#include "pg/array_column.hpp"
#include "pg/engine_statement.hpp"
#include "pg/search_forms.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/htup_details.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// Rows that are held at once.
constexpr long fetched_rows = 200;

struct SearchFilter {
    Uuid user_id;
    Uuid conversation_id;  // nil: any
    std::string role;      // empty: any
};

// A query in one language, and what it has found: chunks are looked through in the language they were filed in.
struct LanguageSearch {
    SearchForms& forms;
    SearchQuery query;
    SearchRanking ranking;

    LanguageSearch(std::string_view language, std::string_view text, SearchMode mode)
        : forms(search_forms(language)), query(text, mode, forms), ranking(query) {}
};

class Search {
public:
    Search(SearchFilter filter, std::string_view text, SearchMode mode)
        : filter_(std::move(filter)), text_(text), mode_(mode) {}

    void read_chunks();
    void read_unfiled(std::string_view language);
    std::vector<Candidate> best(std::size_t most) const;

private:
    LanguageSearch& in(std::string_view language);
    void add_chunk(const Row& row);
    MessageSet wanted(const ChunkHead& head, const Row& row) const;

    SearchFilter filter_;
    std::string_view text_;
    SearchMode mode_;
    std::map<std::string, LanguageSearch, std::less<>> searches_;
};

// Calls take(row) for each row of a query of the user, the conversation (or null) and the role (or null).
template <class Take>
void for_each_row(const char* sql, const SearchFilter& filter, Take&& take) {
    Oid types[] = {UUIDOID, UUIDOID, TEXTOID};
    Datum values[] = {uuid_datum(filter.user_id), uuid_datum(filter.conversation_id), text_datum(filter.role)};
    const char nulls[] = {' ', filter.conversation_id == Uuid{} ? 'n' : ' ', filter.role.empty() ? 'n' : ' ', 0};
    Portal const portal =
        call([&] { return SPI_cursor_open_with_args(nullptr, sql, 3, types, values, nulls, true, 0); });
    for (;;) {
        call([&] { SPI_cursor_fetch(portal, true, fetched_rows); });
        const std::uint64_t count = SPI_processed;
        if (count == 0) break;
        SPITupleTable* const table = SPI_tuptable;
        for (std::uint64_t i = 0; i < count; ++i) {
            SPI_tuptable = table;
            take(Row(i));
            call([] { CHECK_FOR_INTERRUPTS(); });
        }
        call([&] { SPI_freetuptable(table); });
    }
    call([&] { SPI_cursor_close(portal); });
}

LanguageSearch& Search::in(std::string_view language) {
    const auto found = searches_.find(language);
    if (found != searches_.end()) return found->second;
    return searches_.try_emplace(std::string(language), language, text_, mode_).first->second;
}

MessageSet Search::wanted(const ChunkHead& head, const Row& row) const {
    if (filter_.conversation_id == Uuid{} && filter_.role.empty()) return MessageSet::first(head.messages.size());
    const std::vector<Uuid> conversations = row.uuids(3);
    MessageSet wanted;
    for (std::size_t i = 0; i < head.messages.size(); ++i) {
        const FiledMessage& message = head.messages[i];
        const bool is_there =
            filter_.conversation_id == Uuid{} || (message.conversation < conversations.size() &&
                                                  conversations[message.conversation] == filter_.conversation_id);
        if (is_there && (filter_.role.empty() || filter_.role.front() == message.role)) wanted.add(i);
    }
    return wanted;
}

void Search::add_chunk(const Row& row) {
    LanguageSearch& search = in(row.text_at(1));
    if (search.query.is_empty()) return;
    const ChunkHead head = decode_head(row.bytes_at(2));
    const std::optional<Datum> stored = row.value(4);
    if (!stored) return;
    bytea* slice = nullptr;
    const auto fetch = [&](std::size_t offset, std::size_t length) {
        return call([&] {
            if (slice != nullptr) pfree(slice);
            slice = DatumGetByteaPSlice(*stored, static_cast<int32>(offset), static_cast<int32>(length));
            return std::string_view(VARDATA_ANY(slice), VARSIZE_ANY_EXHDR(slice));
        });
    };
    const PostingsReader postings(mode_ == SearchMode::words ? PostingKind::counted : PostingKind::set,
                                  mode_ == SearchMode::words ? head.word_terms : head.gram_terms, fetch);
    const PostingsReader pairs(PostingKind::set, head.pair_terms, [&](std::size_t offset, std::size_t length) {
        return fetch(head.pairs_begin + offset, length);
    });
    search.ranking.add_chunk(head.messages, wanted(head, row), postings, pairs);
    if (slice != nullptr) call([&] { pfree(slice); });
}

void Search::read_chunks() {
    const std::string sql = std::string("SELECT c.language, c.head, c.conversation_ids, c.") +
                            (mode_ == SearchMode::words ? "words" : "grams") +
                            " FROM chat_private.search_chunks c WHERE c.user_id = $1 "
                            "AND ($2 IS NULL OR c.conversation_ids @> ARRAY[$2])";
    for_each_row(sql.c_str(), filter_, [&](const Row& row) { add_chunk(row); });
}

void Search::read_unfiled(std::string_view language) {
    LanguageSearch& search = in(language);
    if (search.query.is_empty()) return;
    for_each_row(
        "SELECT m.id, m.content FROM chat.messages m WHERE m.user_id = $1 "
        // Row security takes COALESCE for leaky, and would not let it into the index condition.
        "AND m.id > (SELECT CASE WHEN p.user_id IS NULL THEN uuid '00000000-0000-0000-0000-000000000000' ELSE "
        "p.filed_to END "
        "            FROM (VALUES (1)) one LEFT JOIN chat_private.search_progress p ON p.user_id = $1) "
        "AND ($2 IS NULL OR m.conversation_id = $2) AND ($3 IS NULL OR m.role = $3) "
        "UNION ALL "
        "SELECT m.id, m.content FROM chat_private.search_progress p CROSS JOIN LATERAL unnest(p.late) l (id) "
        "JOIN chat.messages m ON m.user_id = $1 AND m.id = l.id WHERE p.user_id = $1 AND m.id <= p.filed_to "
        "AND ($2 IS NULL OR m.conversation_id = $2) AND ($3 IS NULL OR m.role = $3)",
        filter_, [&](const Row& row) { search.ranking.add_text(row.uuid(1), row.text_at(2), search.forms); });
}

std::vector<Candidate> Search::best(std::size_t most) const {
    std::vector<Candidate> candidates;
    for (const auto& [language, search] : searches_) search.ranking.append_to(candidates);
    const std::size_t count = std::min(most, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count), candidates.end());
    candidates.resize(count);
    return candidates;
}

std::vector<Candidate> run_search(const Args& args) {
    Search search({args.uuid_at(0), args.uuid_at(4), std::string(args.text_at(5))}, args.text_at(1),
                  args.text_at(2) == "words" ? SearchMode::words : SearchMode::substring);
    call([] { SPI_connect(); });
    search.read_chunks();
    search.read_unfiled(args.text_at(3));
    call([] { SPI_finish(); });
    return search.best(static_cast<std::size_t>(args.int32_at(6, 1)));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_search_candidates);

Datum pgchat_search_candidates(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::vector<Candidate> found = run_search(Args(fcinfo));
        ArrayColumn ids(UUIDOID, found.size()), ranks(FLOAT4OID, found.size());
        for (const Candidate& candidate : found) {
            ids.add(uuid_datum(candidate.id));
            ranks.add(Float4GetDatum(candidate.rank));
        }
        Datum values[] = {ids.array(), ranks.array()};
        return call([&] {
            TupleDesc row_type;
            get_call_result_type(fcinfo, nullptr, &row_type);
            bool nulls[2] = {};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
        });
    });
}

}  // extern "C"
