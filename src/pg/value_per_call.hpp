// Set-returning functions that hand out one row at a time, as it comes, with their state in C++.
#pragma once

#include "pg/context_owned.hpp"

namespace pgchat::pg {

namespace detail {

FuncCallContext* first_call(FunctionCallInfo call);
Datum next_row(FunctionCallInfo call, FuncCallContext* context, Datum* values, bool* nulls);
Datum no_more_rows(FunctionCallInfo call, FuncCallContext* context);

}  // namespace detail

// The body of such a function. `make` returns a new State (a unique_ptr); state.next(values, nulls) fills the columns
// of the next row, or returns false at the end. The state is destroyed with the query, however that ends.
template <class State, class Make>
Datum value_per_call(FunctionCallInfo fcinfo, Make&& make) {
    const auto* const result_info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (result_info == nullptr || !IsA(result_info, ReturnSetInfo) ||
        (result_info->allowedModes & SFRM_ValuePerCall) == 0)
        throw Error(ErrorCode::invalid_argument, "a set is returned where none is accepted");
    if (fcinfo->flinfo->fn_extra == nullptr) {
        FuncCallContext* const context = detail::first_call(fcinfo);
        context->user_fctx = give_to_context(context->multi_call_memory_ctx, make());
    }
    auto* const context = static_cast<FuncCallContext*>(fcinfo->flinfo->fn_extra);
    Datum values[12] = {};
    bool nulls[12] = {};
    if (static_cast<State*>(context->user_fctx)->next(values, nulls))
        return detail::next_row(fcinfo, context, values, nulls);
    return detail::no_more_rows(fcinfo, context);
}

}  // namespace pgchat::pg
