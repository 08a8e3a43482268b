// Writes the replies of the echo provider in OpenAI's wire form.
#pragma once

#include <string>
#include <string_view>

#include "core/llm/echo_script.hpp"

namespace pgchat {

// The first chunk of a stream, which names the role.
void append_echo_opening(std::string& out, const EchoRequest& request);
// The chunk of one token.
void append_echo_token(std::string& out, const EchoRequest& request, std::size_t index);
// All that follows the last token: tool calls, finish_reason, usage, [DONE].
void append_echo_closing(std::string& out, const EchoRequest& request);
// A whole reply that is not streamed.
std::string echo_document(const EchoRequest& request);
// The body of an error response.
std::string echo_error_body(int status);

}  // namespace pgchat
