// SQL functions that tell how alike texts are.
#include "core/text/similarity.hpp"
#include "pg/convert.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

std::vector<TermVector> vectors_of(const std::vector<std::optional<std::string>>& texts) {
    std::vector<TermVector> vectors;
    vectors.reserve(texts.size());
    for (const auto& text : texts) vectors.emplace_back(text ? std::string_view(*text) : std::string_view());
    return vectors;
}

// `values` row by row.
Datum double_array(const std::vector<double>& values, int dimensions, std::size_t size) {
    const double* const from = values.data();
    const std::size_t count = values.size();
    return call([&] {
        if (count == 0) return PointerGetDatum(construct_empty_array(FLOAT8OID));
        auto* const elements = static_cast<Datum*>(palloc(count * sizeof(Datum)));
        for (std::size_t i = 0; i < count; ++i) elements[i] = Float8GetDatum(from[i]);
        int sizes[] = {static_cast<int>(size), static_cast<int>(size)};
        int lower_bounds[] = {1, 1};
        return PointerGetDatum(construct_md_array(elements, nullptr, dimensions, sizes, lower_bounds, FLOAT8OID,
                                                  sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_text_similarity);
PG_FUNCTION_INFO_V1(pgchat_text_similarities);
PG_FUNCTION_INFO_V1(pgchat_text_overlaps);

Datum pgchat_text_similarity(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return Float8GetDatum(similarity(TermVector(args.text_at(0)), TermVector(args.text_at(1))));
    });
}

Datum pgchat_text_similarities(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::vector<TermVector> vectors = vectors_of(Args(fcinfo).texts_at(0));
        return double_array(similarities(vectors), 2, vectors.size());
    });
}

Datum pgchat_text_overlaps(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const TermVector text(args.text_at(0));
        std::vector<double> overlaps;
        for (const TermVector& other : vectors_of(args.texts_at(1))) overlaps.push_back(overlap(text, other));
        return double_array(overlaps, 1, overlaps.size());
    });
}

}  // extern "C"
