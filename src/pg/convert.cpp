#include "pg/convert.hpp"

#include <cstring>

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace pgchat::pg {

void Args::require(int index, const char* name) const {
    if (is_null(index))
        throw Error(ErrorCode::null_argument, std::string(name) + " must not be null", "Pass a value for it.");
}

std::string_view view_of(const text* value) noexcept {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

std::string_view Args::text_at(int index) const {
    if (is_null(index)) return {};
    const ::text* const value = call([&] { return DatumGetTextPP(call_->args[index].value); });
    return view_of(value);
}

std::string_view Args::bytes_at(int index) const {
    if (is_null(index)) return {};
    return view_of(call([&] { return DatumGetByteaPP(call_->args[index].value); }));
}

std::string_view Args::json_at(int index) const {
    if (is_null(index)) return {};
    return call([&] {
        Jsonb* const value = DatumGetJsonbP(call_->args[index].value);
        const char* const printed = JsonbToCString(nullptr, &value->root, VARSIZE(value));
        return std::string_view(printed);
    });
}

Uuid Args::uuid_at(int index) const {
    return is_null(index) ? Uuid{} : uuid_from(*DatumGetUUIDP(call_->args[index].value));
}

std::vector<std::optional<std::string>> Args::texts_at(int index) const {
    std::vector<std::optional<std::string>> texts;
    if (is_null(index)) return texts;
    struct Elements {
        Datum* values;
        bool* nulls;
        int count;
    };
    const auto elements = call([&] {
        Elements found;
        deconstruct_array(DatumGetArrayTypeP(call_->args[index].value), TEXTOID, -1, false, TYPALIGN_INT, &found.values,
                          &found.nulls, &found.count);
        return found;
    });
    texts.reserve(static_cast<std::size_t>(elements.count));
    for (int i = 0; i < elements.count; ++i) {
        if (elements.nulls[i])
            texts.emplace_back();
        else
            texts.emplace_back(view_of(call([&] { return DatumGetTextPP(elements.values[i]); })));
    }
    return texts;
}

int Args::int32_at(int index, int if_null) const noexcept {
    return is_null(index) ? if_null : DatumGetInt32(call_->args[index].value);
}

bool Args::boolean_at(int index, bool if_null) const noexcept {
    return is_null(index) ? if_null : DatumGetBool(call_->args[index].value);
}

Datum text_datum(std::string_view value) {
    return call(
        [&] { return PointerGetDatum(cstring_to_text_with_len(value.data(), static_cast<int>(value.size()))); });
}

Datum bytea_datum(const std::uint8_t* bytes, std::size_t size) {
    return call([&] {
        auto* const result = static_cast<bytea*>(palloc(VARHDRSZ + size));
        SET_VARSIZE(result, VARHDRSZ + size);
        std::memcpy(VARDATA(result), bytes, size);
        return PointerGetDatum(result);
    });
}

Datum bytea_datum(std::string_view bytes) {
    return bytea_datum(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

Datum uuid_datum(const Uuid& value) {
    return call([&] {
        auto* const result = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
        std::memcpy(result->data, value.bytes.data(), UUID_LEN);
        return UUIDPGetDatum(result);
    });
}

Datum jsonb_datum(const char* json) {
    return call([&] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(json)); });
}

Datum numeric_datum(const char* digits) {
    return call([&] {
        return DirectFunctionCall3(numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid),
                                   Int32GetDatum(-1));
    });
}

Uuid uuid_from(const pg_uuid_t& value) noexcept {
    Uuid result;
    std::memcpy(result.bytes.data(), value.data, UUID_LEN);
    return result;
}

}  // namespace pgchat::pg
