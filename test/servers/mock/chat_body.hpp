// The few members of a request body that the mock acts on, in any of the API forms it speaks.
#pragma once

#include <string>
#include <string_view>

namespace mock {

// Views are raw JSON string text (escapes untouched) and point into the body.
struct ChatBody {
    std::string_view model;
    std::string_view user_content;     // the content of the last user message, where it is a string
    std::string_view metadata_key;     // metadata.key
    std::string_view user;             // "user"
    std::string_view embedding_input;  // the raw value of "input"
    std::string user_parts;            // … and where it is an array of parts, their texts joined
    long dimensions = 0;               // "dimensions", 0 where missing
    size_t prompt_words = 0;           // in all message contents and the system prompt
    bool stream = false;
    bool include_usage = false;  // stream_options.include_usage

    // The content of the last user message; points into this object or into the request.
    std::string_view last_user() const { return user_parts.empty() ? user_content : std::string_view(user_parts); }
};

// Reads `text`; false where it is not a JSON object. `stream_default` is the meaning of a missing "stream".
bool read_chat_body(std::string_view text, bool stream_default, ChatBody& body);

}  // namespace mock
