// Set-returning functions that hand out one row at a time, as it comes, with their state in C++.
#pragma once

#include "pg/boundary.hpp"

namespace pgchat::pg {

namespace detail {

template <class State>
void destroy_state(void* state) noexcept {
    delete static_cast<State*>(state);
}

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
        std::unique_ptr<State> state = make();
        call([&] {
            auto* const callback = static_cast<MemoryContextCallback*>(
                MemoryContextAllocZero(context->multi_call_memory_ctx, sizeof(MemoryContextCallback)));
            callback->func = detail::destroy_state<State>;
            callback->arg = state.get();
            MemoryContextRegisterResetCallback(context->multi_call_memory_ctx, callback);
        });
        context->user_fctx = state.release();
    }
    auto* const context = static_cast<FuncCallContext*>(fcinfo->flinfo->fn_extra);
    Datum values[12] = {};
    bool nulls[12] = {};
    if (static_cast<State*>(context->user_fctx)->next(values, nulls))
        return detail::next_row(fcinfo, context, values, nulls);
    return detail::no_more_rows(fcinfo, context);
}

}  // namespace pgchat::pg
