#include "pg/value_per_call.hpp"

extern "C" {
#include "access/htup_details.h"
}

namespace pgchat::pg::detail {

FuncCallContext* first_call(FunctionCallInfo fcinfo) {
    return call([&] {
        FuncCallContext* const context = SRF_FIRSTCALL_INIT();
        MemoryContext const caller = MemoryContextSwitchTo(context->multi_call_memory_ctx);
        TupleDesc row_type;
        if (get_call_result_type(fcinfo, nullptr, &row_type) == TYPEFUNC_COMPOSITE)
            context->tuple_desc = BlessTupleDesc(row_type);
        MemoryContextSwitchTo(caller);
        return context;
    });
}

Datum next_row(FunctionCallInfo fcinfo, FuncCallContext* context, Datum* values, bool* nulls) {
    context->call_cntr++;
    reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)->isDone = ExprMultipleResult;
    if (context->tuple_desc == nullptr) {
        fcinfo->isnull = nulls[0];
        return values[0];
    }
    return call([&] { return HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)); });
}

Datum no_more_rows(FunctionCallInfo fcinfo, FuncCallContext* context) {
    call([&] { end_MultiFuncCall(fcinfo, context); });
    reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)->isDone = ExprEndResult;
    fcinfo->isnull = true;
    return Datum{0};
}

}  // namespace pgchat::pg::detail
