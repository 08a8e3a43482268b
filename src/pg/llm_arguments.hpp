// The arguments that all llm_… functions share, and on whose behalf they call.
#pragma once

#include "core/engine/frames.hpp"
#include "pg/convert.hpp"
#include "pg/engine_client.hpp"

namespace pgchat::pg {

enum class PromptForm { prompt, messages };

// The user to whom a call belongs: the current one, or nil for pgchat_service without an identity.
// Throws Error not_authenticated for anybody else.
Uuid calling_user();

// Milliseconds, 0 for NULL (the server's default). Throws Error invalid_argument unless positive.
std::int64_t timeout_argument(const Args& args, int index);

// Throws Error: empty_content, content_too_long.
void require_prompt(std::string_view prompt);

// Throws the server's own PC303 where the plan of a guest allows no more calls now.
void require_room_in_plan(const Uuid& user_id);

// Reads what follows the first argument of all llm_… functions: (…, model, system_prompt, response_format, timeout_ms,
// options).
void read_settings(const Args& args, CompleteRequest& request);

// Reads (prompt | messages, model, system_prompt, response_format, timeout_ms, options).
CompleteRequest complete_request(const Args& args, PromptForm form);

// Sends the call and hands its successful reply to `use`. Throws the call's own Error when it did not succeed.
Datum complete(const CompleteRequest& request, const std::function<Datum(const CompleteReply&)>& use);

}  // namespace pgchat::pg
