// SQL functions that call a model and wait for the whole reply.
#include "core/crypto/uuid_v7.hpp"
#include "core/engine/completion_json.hpp"
#include "core/llm/structured_reply.hpp"
#include "pg/identity.hpp"
#include "pg/llm_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

Datum complete_text(FunctionCallInfo fcinfo, PromptForm form) {
    return complete(complete_request(Args(fcinfo), form),
                    [](const CompleteReply& reply) { return text_datum(reply.content); });
}

Datum complete_json(FunctionCallInfo fcinfo, PromptForm form) {
    const CompleteRequest request = complete_request(Args(fcinfo), form);
    const bool is_json = asks_for_json(request.text.response_format);
    return complete(request, [&](const CompleteReply& reply) {
        return jsonb_datum(completion_json(reply, request.request_id, is_json).c_str());
    });
}

// The columns of one chat_private.completion.
class CompletionRow {
public:
    void add(Datum value) { values_[size_++] = value; }
    void add_null() { nulls_[size_++] = true; }
    void add_text(std::string_view value) { value.empty() ? add_null() : add(text_datum(value)); }
    void add_count(std::int64_t value) {
        value < 0 ? add_null() : add(Int32GetDatum(static_cast<std::int32_t>(value)));
    }

    Datum tuple(FunctionCallInfo fcinfo) {
        return call([&] {
            TupleDesc row_type;
            get_call_result_type(fcinfo, nullptr, &row_type);
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values_, nulls_));
        });
    }

private:
    Datum values_[13] = {};
    bool nulls_[13] = {};
    int size_ = 0;
};

Datum completion_tuple(FunctionCallInfo fcinfo, const CompleteReply& reply, const Uuid& request_id) {
    CompletionRow row;
    row.add(text_datum(reply.content));
    row.add_text(reply.thinking);
    if (reply.tool_calls.empty())
        row.add_null();
    else
        row.add(jsonb_datum(std::string(reply.tool_calls).c_str()));
    row.add_text(reply.finish_reason);
    row.add(text_datum(reply.model));
    row.add_count(reply.input_tokens);
    row.add_count(reply.output_tokens);
    row.add_count(reply.cached_tokens);
    row.add(numeric_datum(decimal_cost(reply.cost).c_str()));
    row.add_count(reply.latency_ms);
    row.add_count(reply.first_token_ms);
    row.add(uuid_datum(request_id));
    row.add(BoolGetDatum(reply.sanitized));
    return row.tuple(fcinfo);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_llm_complete_prompt);
PG_FUNCTION_INFO_V1(pgchat_llm_complete_messages);
PG_FUNCTION_INFO_V1(pgchat_llm_complete_json_prompt);
PG_FUNCTION_INFO_V1(pgchat_llm_complete_json_messages);
PG_FUNCTION_INFO_V1(pgchat_complete_reply);

Datum pgchat_llm_complete_prompt(PG_FUNCTION_ARGS) {
    return entry([&] { return complete_text(fcinfo, PromptForm::prompt); });
}

Datum pgchat_llm_complete_messages(PG_FUNCTION_ARGS) {
    return entry([&] { return complete_text(fcinfo, PromptForm::messages); });
}

Datum pgchat_llm_complete_json_prompt(PG_FUNCTION_ARGS) {
    return entry([&] { return complete_json(fcinfo, PromptForm::prompt); });
}

Datum pgchat_llm_complete_json_messages(PG_FUNCTION_ARGS) {
    return entry([&] { return complete_json(fcinfo, PromptForm::messages); });
}

Datum pgchat_complete_reply(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        CompleteRequest request;
        request.user_id = require_identity().user_id;
        request.request_id = uuid_v7();
        request.conversation_id = args.uuid_at(0);
        request.message_id = args.uuid_at(1);
        // A branch of nothing but empty answers tells nothing.
        if (const std::string_view told = args.text_at(2); told != "[]") request.text.messages = told;
        request.text.prompt = args.text_at(3);
        request.model = args.text_at(4);
        request.text.system_prompt = args.text_at(5);
        request.text.options = args.json_at(6);
        request.timeout_ms = timeout_argument(args, 7);
        return complete(
            request, [&](const CompleteReply& reply) { return completion_tuple(fcinfo, reply, request.request_id); });
    });
}

}  // extern "C"
