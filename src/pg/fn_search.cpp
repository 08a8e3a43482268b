// SQL functions over core/search: filing messages, and showing why one was found.
#include "core/search/search_chunk.hpp"
#include "core/search/search_query.hpp"
#include "core/search/snippet.hpp"
#include "pg/array_column.hpp"
#include "pg/search_forms.hpp"
#include "pg/search_horizon.hpp"

extern "C" {
#include "access/htup_details.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

struct Elements {
    Datum* values;
    int count;
};

Elements elements_of(Datum array, Oid type) {
    return call([&] {
        int16 length;
        bool by_value;
        char alignment;
        get_typlenbyvalalign(type, &length, &by_value, &alignment);
        Elements elements{};
        deconstruct_array(DatumGetArrayTypeP(array), type, length, by_value, alignment, &elements.values, nullptr,
                          &elements.count);
        return elements;
    });
}

Uuid uuid_of(Datum value) noexcept {
    return uuid_from(*DatumGetUUIDP(value));
}

std::string_view text_of(Datum value) {
    return call([&] { return view_of(DatumGetTextPP(value)); });
}

// The index of a conversation in the list of those of the chunk, to which it is added.
std::uint8_t index_of(std::vector<Uuid>& conversations, const Uuid& id) {
    const auto found = std::find(conversations.begin(), conversations.end(), id);
    if (found != conversations.end()) return static_cast<std::uint8_t>(found - conversations.begin());
    conversations.push_back(id);
    return static_cast<std::uint8_t>(conversations.size() - 1);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_search_chunk);
PG_FUNCTION_INFO_V1(pgchat_search_chunk_ids);
PG_FUNCTION_INFO_V1(pgchat_search_snippet);
PG_FUNCTION_INFO_V1(pgchat_search_horizon);

Datum pgchat_search_chunk(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const Elements ids = elements_of(PG_GETARG_DATUM(0), UUIDOID),
                       places = elements_of(PG_GETARG_DATUM(1), UUIDOID);
        const Elements roles = elements_of(PG_GETARG_DATUM(2), TEXTOID),
                       texts = elements_of(PG_GETARG_DATUM(3), TEXTOID);
        if (ids.count != places.count || ids.count != roles.count || ids.count != texts.count ||
            ids.count > static_cast<int>(chunk_messages))
            throw Error(ErrorCode::invalid_argument, "a search chunk is made of at most 128 messages");
        ChunkBuilder builder(search_forms(args.text_at(4)));
        std::vector<Uuid> conversations;
        for (int i = 0; i < ids.count; ++i) {
            FiledMessage message{uuid_of(ids.values[i]), index_of(conversations, uuid_of(places.values[i])),
                                 text_of(roles.values[i]).front(), 0};
            builder.add(message, text_of(texts.values[i]));
        }
        const ChunkBuilder::Encoded encoded = builder.encode();
        ArrayColumn conversation_ids(UUIDOID, conversations.size());
        for (const Uuid& id : conversations) conversation_ids.add(uuid_datum(id));
        Datum values[] = {bytea_datum(encoded.head), conversation_ids.array(), bytea_datum(encoded.words),
                          bytea_datum(encoded.grams)};
        return call([&] {
            TupleDesc row_type;
            get_call_result_type(fcinfo, nullptr, &row_type);
            bool nulls[4] = {};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
        });
    });
}

Datum pgchat_search_chunk_ids(PG_FUNCTION_ARGS) {
    return entry([&] {
        const ChunkHead head = decode_head(Args(fcinfo).bytes_at(0));
        ArrayColumn ids(UUIDOID, head.messages.size());
        for (const FiledMessage& message : head.messages) ids.add(uuid_datum(message.id));
        return ids.array();
    });
}

Datum pgchat_search_snippet(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        SearchForms& forms = search_forms(args.text_at(3));
        const SearchQuery query(args.text_at(1), args.text_at(2) == "words" ? SearchMode::words : SearchMode::substring,
                                forms);
        const std::string_view text = args.text_at(0);
        std::vector<WordSpan> spans;
        if (!query.matches(text, forms, spans)) {
            fcinfo->isnull = true;
            return Datum{0};
        }
        const auto length = static_cast<std::size_t>(args.int32_at(6, 200));
        return text_datum(snippet_of(text, spans, {args.text_at(4), args.text_at(5), length}));
    });
}

Datum pgchat_search_horizon(PG_FUNCTION_ARGS) {
    return entry([&] { return uuid_datum(search_horizon()); });
}

}  // extern "C"
