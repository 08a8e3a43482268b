// Arguments and results between PostgreSQL's Datums and the core's types.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/uuid.hpp"
#include "pg/boundary.hpp"

namespace pgchat::pg {

// The arguments of one call. Views stay valid until the function returns. Out-of-range values throw Error.
class Args {
public:
    explicit Args(FunctionCallInfo call) noexcept : call_(call) {}

    bool is_null(int index) const noexcept { return call_->args[index].isnull; }
    // Throws Error null_argument naming the argument.
    void require(int index, const char* name) const;

    std::string_view text_at(int index) const;   // empty for NULL
    std::string_view bytes_at(int index) const;  // bytea; empty for NULL
    std::string_view json_at(int index) const;   // jsonb as its text; empty for NULL
    Uuid uuid_at(int index) const;               // nil for NULL
    // The elements of a text[] in the order of storage, nullopt for NULL; none for a NULL array.
    std::vector<std::optional<std::string>> texts_at(int index) const;
    int int32_at(int index, int if_null) const noexcept;
    bool boolean_at(int index, bool if_null) const noexcept;

private:
    FunctionCallInfo call_;
};

std::string_view view_of(const text* value) noexcept;

// Results, palloc'd in the current memory context.
Datum text_datum(std::string_view value);
Datum bytea_datum(const std::uint8_t* bytes, std::size_t size);
Datum bytea_datum(std::string_view bytes);
Datum uuid_datum(const Uuid& value);
Datum jsonb_datum(const char* json);
Datum numeric_datum(const char* digits);

Uuid uuid_from(const pg_uuid_t& value) noexcept;

}  // namespace pgchat::pg
