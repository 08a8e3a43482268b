// The aggregate that makes of a conversation's rows what a model is told of one branch.
#include "core/llm/branch.hpp"
#include "pg/context_owned.hpp"
#include "pg/convert.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// Arguments of chat_private.add_to_branch.
namespace argument {
enum { state, leaf_id, room, id, parent_id, role, content, output_tokens, is_plain };
}

MemoryContext aggregate_context(FunctionCallInfo call_info) {
    MemoryContext context = nullptr;
    if (AggCheckCallContext(call_info, &context) == 0)
        throw Error(ErrorCode::internal, "an aggregate's function was called by something else");
    return context;
}

Branch* branch_of(FunctionCallInfo call_info) {
    if (call_info->args[argument::state].isnull) return nullptr;
    return reinterpret_cast<Branch*>(DatumGetPointer(call_info->args[argument::state].value));
}

Branch* new_branch(const Args& args, FunctionCallInfo call_info) {
    const std::int64_t room = DatumGetInt64(call_info->args[argument::room].value);
    return give_to_context(aggregate_context(call_info),
                           std::make_unique<Branch>(args.uuid_at(argument::leaf_id), room));
}

std::optional<Uuid> optional_uuid(const Args& args, int index) {
    return args.is_null(index) ? std::nullopt : std::optional(args.uuid_at(index));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_add_to_branch);
PG_FUNCTION_INFO_V1(pgchat_branch_messages);

Datum pgchat_add_to_branch(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        Branch* const known = branch_of(fcinfo);
        Branch* const branch = known != nullptr ? known : new_branch(args, fcinfo);
        if (!branch->is_full())
            branch->add({args.uuid_at(argument::id), optional_uuid(args, argument::parent_id),
                         args.text_at(argument::role), args.text_at(argument::content),
                         args.int32_at(argument::output_tokens, 0), args.boolean_at(argument::is_plain, false)});
        return PointerGetDatum(branch);
    });
}

Datum pgchat_branch_messages(PG_FUNCTION_ARGS) {
    return entry([&] {
        Branch* const branch = branch_of(fcinfo);
        const auto messages = branch != nullptr ? branch->messages() : std::nullopt;
        fcinfo->isnull = !messages;
        return messages ? text_datum(*messages) : Datum{};
    });
}

}  // extern "C"
