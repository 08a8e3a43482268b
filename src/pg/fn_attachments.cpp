// SQL functions over core/media: what a file is, and the beginning of a text.
#include <algorithm>

#include "core/llm/content_parts.hpp"
#include "core/llm/image_bytes.hpp"
#include "core/media/file_type.hpp"
#include "core/text/utf8.hpp"
#include "pg/convert.hpp"

extern "C" {
#include "access/htup_details.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// A side of at most 2^31 - 1 pixels fits the column; beyond, no limit is that high.
Datum pixels_datum(std::uint32_t pixels) {
    return Int32GetDatum(static_cast<std::int32_t>(pixels));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_file_type);
PG_FUNCTION_INFO_V1(pgchat_text_start);
PG_FUNCTION_INFO_V1(pgchat_data_url);

Datum pgchat_file_type(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        ImageLimits limits;
        limits.max_side = static_cast<std::uint32_t>(args.int32_at(2, 0));
        limits.max_pixels = static_cast<std::uint64_t>(PG_GETARG_INT64(3));
        const FileType type = file_type(args.bytes_at(0), limits);
        const bool has_size = is_image(type.format);
        Datum values[3] = {text_datum(agreed_media_type(type.format, args.text_at(1))), pixels_datum(type.size.width),
                           pixels_datum(type.size.height)};
        return call([&] {
            TupleDesc row_type;
            get_call_result_type(fcinfo, nullptr, &row_type);
            bool nulls[3] = {false, !has_size, !has_size};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
        });
    });
}

Datum pgchat_text_start(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::size_t most = static_cast<std::size_t>(std::max(args.int32_at(1, 0), 0));
        return text_datum(clean_text(truncate_text(args.bytes_at(0), most)));
    });
}

Datum pgchat_data_url(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return text_datum(image_url({std::string(args.text_at(0)), base64_of(args.bytes_at(1)), {}}));
    });
}

}  // extern "C"
