// What a provider says when it refuses or fails, as an Error: its words are hostile input and may hold our key.
#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

// Text from a provider made fit for a message: keys removed (`api_key`, bearer tokens, sk-… and similar), control
// characters and runs of white space turned into one space, invalid UTF-8 replaced, cut to `max_bytes` with "…".
std::string provider_excerpt(std::string_view text, std::string_view api_key = {}, std::size_t max_bytes = 300);

// The Error for a response whose status is not 2xx. The code follows the status, and the body where it says that the
// prompt is too long; the message is "provider <name> answered <status>: <the provider's words>". A hint says where a
// key was wanted and none was sent.
Error provider_status_error(const ProviderConfig& config, int status, std::string_view body);

// The Error for an error object inside a 2xx reply: {"error":{"message","type","code"}} or {"error":"…"}.
Error provider_reply_error(std::string_view json);

// The Error for a reply that is not what the API promises; `text` is what arrived instead.
Error unreadable_reply_error(std::string_view text);

// The Error for a line or an event beyond the parser's cap.
Error oversized_event_error();

}  // namespace pgchat
