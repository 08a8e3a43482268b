// A chat request in the form that no provider owns: what the SQL functions accept, and what every provider encodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/llm/json.hpp"

namespace pgchat {

enum class Role { system, user, assistant, tool };

struct ImagePart {
    std::string media_type;  // "image/png"; empty for a URL
    std::string base64;      // the image itself, or
    std::string url;         // an https URL that the provider fetches
};

struct ChatMessage {
    Role role = Role::user;
    std::string content;
    std::vector<ImagePart> images;
    Json tool_calls;           // null, or [{"id","type":"function","function":{"name","arguments"}}] (OpenAI's form)
    std::string tool_call_id;  // for Role::tool
};

// The members of `options` (DESIGN section 5). A member that is absent is not sent to the provider.
struct ChatOptions {
    std::optional<double> temperature;
    std::optional<double> top_p;
    std::optional<std::int64_t> max_tokens;
    std::optional<std::int64_t> seed;
    std::optional<std::int64_t> dimensions;  // of embeddings
    std::vector<std::string> stop;
    Json tools;                     // null or array, OpenAI's form
    Json tool_choice;               // null, "auto", "none", "required" or {"type":"function","function":{"name"}}
    Json thinking;                  // null, bool, or {"budget_tokens": n} / {"effort": "minimal" to "max"}
    std::vector<ImagePart> images;  // attached to the last user message
    Json extra;                     // null or object, merged into the provider's request body as it is
    std::vector<std::string> fallback_models;
    bool cache = false;                       // an earlier reply to the same request will do
    std::optional<std::int64_t> cache_ttl_s;  // one that is no older; absent: as the server is set
};

struct ChatRequest {
    bool embeds = false;  // the embeddings of the messages' texts are asked for, and no reply
    std::string system_prompt;
    std::vector<ChatMessage> messages;
    Json response_format;  // null, a JSON Schema, or {"type":"json_object"}
    ChatOptions options;
};

// A request as it crosses from SQL: JSON as text, unparsed; an empty view stands for SQL's NULL.
struct ChatRequestText {
    std::string_view prompt;    // one user message, which comes after
    std::string_view messages;  // a JSON array of {role, content, …}; at least one of the two is given
    std::string_view system_prompt;
    std::string_view response_format;
    std::string_view options;
    bool embeds = false;  // messages is an array of texts whose embeddings are asked for
};

struct ChatRequestLimits {
    std::size_t max_content_bytes = 10u << 20;  // all texts together
    std::size_t max_image_bytes = 64u << 20;    // all images together, as base64
    std::size_t max_messages = 100'000;
    int max_nesting = 64;
};

// Parses and validates. Throws Error: empty_content, content_too_long, malformed_messages, malformed_options.
ChatRequest parse_chat_request(const ChatRequestText& text, const ChatRequestLimits& limits = {});

}  // namespace pgchat
