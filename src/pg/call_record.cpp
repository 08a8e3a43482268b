#include "pg/call_record.hpp"

namespace pgchat::pg {

FinishedCall finished_call(const Call& call) {
    const CallSpec& spec = call.spec();
    FinishedCall finished;
    finished.user_id = spec.user_id;
    finished.request_id = spec.request_id;
    finished.message_id = spec.message_id;
    finished.conversation_id = spec.conversation_id;
    finished.durable = spec.durable;
    finished.was_submitted = true;
    finished.model = spec.model->name;
    finished.provider = spec.provider->name;
    finished.result = call.result();
    // With the events that publish_end() will add.
    finished.last_seq = call.log().size() + call.log().has_pending() + !finished.result.tool_calls.empty() + 1;
    return finished;
}

FinishedCall refused_call(const ClaimedRequest& request, const Error& error) {
    FinishedCall refused;
    refused.user_id = request.user_id;
    refused.request_id = request.request_id;
    refused.message_id = request.message_id;
    refused.conversation_id = request.conversation_id;
    refused.durable = true;
    refused.model = request.model;
    refused.result.error = error;
    return refused;
}

}  // namespace pgchat::pg
