// The engine's SQL: statements that are planned once, and the rows they give.
#pragma once

#include "pg/array_column.hpp"
#include "pg/engine_transaction.hpp"

extern "C" {
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

namespace pgchat::pg {

// A statement planned once in the engine's life.
class Statement {
public:
    Statement(std::string sql, std::vector<Oid> types) : sql_(std::move(sql)), types_(std::move(types)) {}

    void execute(Datum* values) {
        call([&] {
            if (plan_ == nullptr) {
                SPIPlanPtr const plan = SPI_prepare(sql_.c_str(), static_cast<int>(types_.size()), types_.data());
                if (plan == nullptr) elog(ERROR, "cannot prepare: %s", SPI_result_code_string(SPI_result));
                SPI_keepplan(plan);
                plan_ = plan;
            }
            const int result = SPI_execute_plan(plan_, values, nullptr, false, 0);
            if (result < 0) elog(ERROR, "cannot execute: %s", SPI_result_code_string(result));
        });
    }

private:
    std::string sql_;
    std::vector<Oid> types_;
    SPIPlanPtr plan_ = nullptr;
};

// The columns of one result row, by number from 1, as columns of known types.
class Row {
public:
    explicit Row(std::uint64_t index) : tuple_(SPI_tuptable->vals[index]) {}

    std::optional<Datum> value(int column) const {
        bool is_null = false;
        const Datum datum = call([&] { return SPI_getbinval(tuple_, SPI_tuptable->tupdesc, column, &is_null); });
        return is_null ? std::nullopt : std::optional<Datum>(datum);
    }
    std::string_view text_at(int column) const {
        const std::optional<Datum> datum = value(column);
        return datum ? view_of(call([&] { return DatumGetTextPP(*datum); })) : std::string_view();
    }
    std::string_view bytes_at(int column) const {
        const std::optional<Datum> datum = value(column);
        if (!datum) return {};
        return call([&] {
            bytea* const bytes = DatumGetByteaPP(*datum);
            return std::string_view(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
        });
    }
    std::string_view json(int column) const {
        const std::optional<Datum> datum = value(column);
        if (!datum) return {};
        return call([&] {
            Jsonb* const jsonb = DatumGetJsonbP(*datum);
            return std::string_view(JsonbToCString(nullptr, &jsonb->root, VARSIZE(jsonb)));
        });
    }
    Uuid uuid(int column) const {
        const std::optional<Datum> datum = value(column);
        return datum ? uuid_from(*DatumGetUUIDP(*datum)) : Uuid{};
    }
    std::vector<Uuid> uuids(int column) const {
        const std::optional<Datum> datum = value(column);
        std::vector<Uuid> ids;
        if (!datum) return ids;
        Datum* elements = nullptr;
        int count = 0;
        call([&] {
            deconstruct_array(DatumGetArrayTypeP(*datum), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &elements, nullptr,
                              &count);
        });
        for (int i = 0; i < count; ++i) ids.push_back(uuid_from(*DatumGetUUIDP(elements[i])));
        return ids;
    }
    std::int64_t integer(int column) const {
        const std::optional<Datum> datum = value(column);
        return datum ? DatumGetInt32(*datum) : 0;
    }
    std::optional<std::int64_t> bigint(int column) const {
        const std::optional<Datum> datum = value(column);
        return datum ? std::optional<std::int64_t>(DatumGetInt64(*datum)) : std::nullopt;
    }
    bool boolean(int column) const { return value(column).value_or(0) != 0; }
    // A price per million tokens, as 10^-12 per token.
    std::int64_t price(int column) const {
        const std::optional<Datum> datum = value(column);
        if (!datum) return 0;
        return call([&] {
            const Datum million = DirectFunctionCall1(int8_numeric, Int64GetDatum(1000000));
            return DatumGetInt64(DirectFunctionCall1(numeric_int8, DirectFunctionCall2(numeric_mul, *datum, million)));
        });
    }

private:
    HeapTuple tuple_;
};

}  // namespace pgchat::pg
