// Tokens guessed from text, high rather than low: what is reserved before a call, and charged where the provider did
// not say.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/llm/chat_request.hpp"

namespace pgchat {

// Most tokenizers make a token of three to four bytes of text.
constexpr std::int64_t estimated_tokens(std::size_t bytes) noexcept {
    return static_cast<std::int64_t>((bytes + 2) / 3);
}

// The whole prompt: texts, tools, schemas, images.
std::int64_t estimated_input_tokens(const ChatRequest& request);

// How long a reply may become.
struct OutputEstimate {
    std::int64_t tokens = 0;
    bool is_limit = false;  // the request itself says so; else it is a guess
};

// From max_tokens and what `extra` may put in its place. `standard`: what the provider is asked for where there is no
// max_tokens, if its configuration says so.
OutputEstimate estimated_output_tokens(const ChatOptions& options, std::int64_t standard = 0);

}  // namespace pgchat
