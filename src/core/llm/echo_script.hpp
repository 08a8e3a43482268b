// What an echo request asks to be played: the settings, and the reply cut into tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/llm/json.hpp"

namespace pgchat {

// A reply to requests that say certain things; a member that it has stands for the script's.
struct EchoAnswer {
    std::vector<std::string>
        when;  // texts that all occur in the messages, the model's name or that of the wanted schema
    std::optional<std::string> reply;
    std::optional<std::string> thinking;
    std::optional<Json> tool_calls;
};

// The members of "echo", under these names; all are optional.
struct EchoScript {
    Milliseconds latency{0};                 // latency_ms: from the request to the first token
    double tokens_per_second = 0;            // 0: all at once
    std::optional<std::string> reply;        // default: the last user message
    std::string thinking;                    // precedes the reply
    Json tool_calls;                         // array in OpenAI's form, after the reply
    std::vector<EchoAnswer> answers;         // the first that applies counts
    std::optional<int> status;               // other than 2xx: an error instead of a reply
    std::string retry_after;                 // header of such an error
    std::optional<std::int64_t> fail_times;  // only so many first attempts fail (status defaults to 500)
    std::string key;                         // what counts as the same request for fail_times; default: the whole body
    std::optional<std::size_t> truncate_after;  // tokens, then the connection breaks
    bool hang = false;                          // falls silent, at once or after truncate_after tokens
    bool refuse = false;                        // the connection is refused
};

// Throws Error(malformed_options) for an unknown member or one of the wrong type.
EchoScript parse_echo_script(const Json& echo);

// A request as EchoProvider encodes it, read back.
struct EchoRequest {
    EchoScript script;
    bool stream = false;
    bool include_usage = false;
    std::string model;
    std::int64_t input_tokens = 0;        // words in all messages
    std::string text;                     // thinking, then the reply
    std::vector<std::size_t> token_ends;  // offsets into text; a token is a word with the white space before it
    std::size_t thinking_tokens = 0;      // how many of them are thinking
    bool length_reached = false;          // max_tokens cut the reply
    std::string embeddings;               // the whole reply to a request for embeddings; else empty

    std::string_view token(std::size_t index) const {
        const std::size_t begin = index == 0 ? 0 : token_ends[index - 1];
        return std::string_view(text).substr(begin, token_ends[index] - begin);
    }
};

// Throws Error(malformed_options) where `body` is not such a request.
EchoRequest parse_echo_request(std::string_view body);

}  // namespace pgchat
