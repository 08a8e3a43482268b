// The OpenAI chat completions API, which most servers and gateways speak (platform.openai.com/docs/api-reference/chat).
//
// config.options: include_usage (bool, default true: ask for token counts in a stream), max_tokens_field (the name
// under which max_tokens is sent, default "max_tokens"). An empty base_url stands for OpenAI's own.
#pragma once

#include "core/llm/provider.hpp"

namespace pgchat {

class OpenaiProvider final : public Provider {
public:
    std::string_view default_base_url() const noexcept override;
    HttpRequest encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                       bool stream) const override;
    std::unique_ptr<ReplyDecoder> decoder(bool stream) const override;
    HttpRequest encode_embeddings(const ProviderConfig& config, std::string_view model,
                                  const ChatRequest& request) const override;
    Error error_from_response(const ProviderConfig& config, int status, std::string_view body) const override;
};

// The body that encode() sends, without options.extra; its messages are a json_placeholder() for openai_messages().
Json openai_body(const ProviderConfig& config, std::string_view model, const ChatRequest& request, bool stream);
std::string openai_messages(const ChatRequest& request);

}  // namespace pgchat
