#include "pg/llm_arguments.hpp"

#include <cstring>

#include "core/crypto/uuid_v7.hpp"
#include "pg/identity.hpp"
#include "pg/query_as.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/acl.h"
}

namespace pgchat::pg {

Uuid calling_user() {
    const Identity identity = current_identity();
    if (identity.has_user) return identity.user_id;
    const bool is_service = call([] {
        const Oid service = get_role_oid("pgchat_service", true);
        return OidIsValid(service) && has_privs_of_role(GetUserId(), service);
    });
    return is_service ? Uuid{} : require_identity().user_id;
}

std::int64_t timeout_argument(const Args& args, int index) {
    const int timeout = args.int32_at(index, 0);
    if (!args.is_null(index) && timeout <= 0)
        throw Error(ErrorCode::invalid_argument, "timeout_ms must be positive",
                    "It is in milliseconds; NULL stands for pgchat.request_timeout.");
    return timeout;
}

namespace {

void require_length(std::string_view text, const char* what) {
    const std::size_t most = static_cast<std::size_t>(settings.max_message_kb) * 1024;
    if (text.size() > most)
        throw Error(ErrorCode::content_too_long,
                    std::string(what) + " has " + std::to_string(text.size()) + " bytes, and " + std::to_string(most) +
                        " are allowed",
                    "Shorten it, or have an administrator raise pgchat.max_message_bytes.");
}

}  // namespace

void require_prompt(std::string_view prompt) {
    if (prompt.empty()) throw Error(ErrorCode::empty_content, "the prompt is empty", "A prompt needs some text.");
    require_length(prompt, "the prompt");
}

// Only guests are asked for, so that no other call pays for a query: their plan is the one that has limits at first.
void require_room_in_plan(const Uuid& user_id) {
    const Identity identity = current_identity();
    if (!identity.has_user || std::strcmp(identity.role, "guest") != 0) return;
    query_as("pgchat_owner", "SELECT chat_private.check_message_limit($1)", {{UUIDOID, uuid_datum(user_id)}});
}

void read_settings(const Args& args, CompleteRequest& request) {
    request.model = args.text_at(1);
    if (!args.is_null(1) && request.model.empty())
        throw Error(ErrorCode::unknown_model, "model must not be the empty text", "NULL stands for the default model.");
    request.text.system_prompt = args.text_at(2);
    require_length(request.text.system_prompt, "the system prompt");
    request.text.response_format = args.json_at(3);
    request.timeout_ms = timeout_argument(args, 4);
    request.text.options = args.json_at(5);
    if (request.text.options.size() + request.text.response_format.size() > ChatRequestLimits{}.max_content_bytes)
        throw Error(ErrorCode::content_too_long,
                    "options and response_format have more than " +
                        std::to_string(ChatRequestLimits{}.max_content_bytes) + " bytes",
                    "Give fewer or smaller images, tools and extra members.");
}

CompleteRequest complete_request(const Args& args, PromptForm form) {
    CompleteRequest request;
    request.user_id = calling_user();
    require_room_in_plan(request.user_id);
    request.request_id = uuid_v7();
    if (form == PromptForm::prompt) {
        args.require(0, "prompt");
        request.text.prompt = args.text_at(0);
        require_prompt(request.text.prompt);
    } else {
        args.require(0, "messages");
        request.text.messages = args.json_at(0);
    }
    read_settings(args, request);
    return request;
}

Datum complete(const CompleteRequest& request, const std::function<Datum(const CompleteReply&)>& use) {
    EngineRequest sent([&](std::uint32_t number) { return write_complete(number, request); });
    std::optional<FrameReader> frame = sent.next(std::chrono::milliseconds{-1});
    sent.done();
    if (frame->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*frame);
    const CompleteReply reply = read_result(*frame);
    if (reply.status != CallStatus::complete) throw *reply.error;
    return use(reply);
}

}  // namespace pgchat::pg
