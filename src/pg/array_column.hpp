// A column of a batch, built value by value into the array argument of one SQL call.
#pragma once

#include "pg/convert.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace pgchat::pg {

class ArrayColumn {
public:
    explicit ArrayColumn(Oid element_type, std::size_t expected) : element_type_(element_type) {
        values_.reserve(expected);
        nulls_.reserve(expected);
    }

    void add(Datum value) { push(value, false); }
    void add_null() { push(0, true); }
    void add_text(std::string_view value) { add(text_datum(value)); }
    // NULL for the empty text.
    void add_text_or_null(std::string_view value) { value.empty() ? add_null() : add_text(value); }
    // NULL for the nil UUID.
    void add_uuid(const Uuid& value) { value == Uuid{} ? add_null() : add(uuid_datum(value)); }
    void add_bigint(std::optional<std::int64_t> value) { value ? add(Int64GetDatum(*value)) : add_null(); }
    void add_int(std::optional<std::int32_t> value) { value ? add(Int32GetDatum(*value)) : add_null(); }
    void add_bool(bool value) { add(BoolGetDatum(value)); }

    // The array, palloc'd in the current memory context.
    Datum array() {
        const int count = static_cast<int>(values_.size());
        // vector<bool> has no data(), so flags are kept as bytes, which is what bool is to the server.
        auto* const nulls = reinterpret_cast<bool*>(nulls_.data());
        int lower_bound = 1;
        int dimension = count;
        return call([&] {
            int16 length;
            bool by_value;
            char alignment;
            get_typlenbyvalalign(element_type_, &length, &by_value, &alignment);
            if (count == 0) return PointerGetDatum(construct_empty_array(element_type_));
            return PointerGetDatum(construct_md_array(values_.data(), nulls, 1, &dimension, &lower_bound, element_type_,
                                                      length, by_value, alignment));
        });
    }

private:
    void push(Datum value, bool is_null) {
        values_.push_back(value);
        nulls_.push_back(is_null);
    }

    Oid element_type_;
    std::vector<Datum> values_;
    std::vector<char> nulls_;
};

}  // namespace pgchat::pg
