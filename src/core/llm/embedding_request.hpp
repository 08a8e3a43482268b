// A request for embeddings, in the form of a chat request whose messages are the texts: so limits, records and retries
// are those of any call.
#pragma once

#include "core/llm/chat_request.hpp"

namespace pgchat {

// Parses `text.messages`, a JSON array of texts, and the options: dimensions, extra. Throws Error: empty_content,
// content_too_long, malformed_messages, malformed_options.
ChatRequest parse_embedding_request(const ChatRequestText& text, const ChatRequestLimits& limits);

// Checks the options alone. Throws Error malformed_options.
void check_embedding_options(std::string_view options, int max_nesting);

// The texts of a request that embeds, as a JSON array.
Json embedding_inputs(const ChatRequest& request);

}  // namespace pgchat
