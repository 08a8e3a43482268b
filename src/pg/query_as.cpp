#include "pg/query_as.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/acl.h"
}

namespace pgchat::pg {

namespace {

// `take` is called with the rows in SPI's hands, and must hold nothing that needs a destructor.
template <class Take>
auto run_as(const char* role, const char* sql, std::initializer_list<Parameter> parameters, Take take) {
    std::vector<Oid> types;
    std::vector<Datum> values;
    for (const Parameter& parameter : parameters) {
        types.push_back(parameter.type);
        values.push_back(parameter.value);
    }
    return call([&] {
        Oid caller;
        int context;
        GetUserIdAndSecContext(&caller, &context);
        SetUserIdAndSecContext(get_role_oid(role, false), context | SECURITY_LOCAL_USERID_CHANGE);
        SPI_connect();
        const int status =
            SPI_execute_with_args(sql, static_cast<int>(types.size()), types.data(), values.data(), nullptr, false, 1);
        if (status < 0) elog(ERROR, "cannot execute: %s", SPI_result_code_string(status));
        const auto result = take();
        SPI_finish();
        SetUserIdAndSecContext(caller, context);
        return result;
    });
}

}  // namespace

Datum query_as(const char* role, const char* sql, std::initializer_list<Parameter> parameters) {
    return run_as(role, sql, parameters, [] {
        bool is_null = true;
        const Datum value =
            SPI_processed == 1 ? SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null) : 0;
        return is_null ? Datum{0} : value;
    });
}

const char* query_text_as(const char* role, const char* sql, std::initializer_list<Parameter> parameters) {
    return run_as(role, sql, parameters, [] {
        const char* const value =
            SPI_processed == 1 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : nullptr;
        if (value == nullptr) return static_cast<const char*>(nullptr);
        // SPI frees its own memory when it finishes.
        const std::size_t size = strlen(value) + 1;
        return static_cast<const char*>(memcpy(SPI_palloc(size), value, size));
    });
}

}  // namespace pgchat::pg
