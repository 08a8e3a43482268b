// The Anthropic Messages API (platform.claude.com/docs/en/api/messages).
//
// config.options: version (the anthropic-version header, default 2023-06-01), default_max_tokens (the API requires
// max_tokens; default 4096). An empty base_url stands for Anthropic's own; it may end in /v1 or not.
// `seed` has no counterpart there and is not sent.
#pragma once

#include "core/llm/provider.hpp"

namespace pgchat {

class AnthropicProvider final : public Provider {
public:
    std::string_view default_base_url() const noexcept override;
    HttpRequest encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                       bool stream) const override;
    std::unique_ptr<ReplyDecoder> decoder(bool stream) const override;
    HttpRequest encode_embeddings(const ProviderConfig& config, std::string_view model,
                                  const ChatRequest& request) const override;
    Error error_from_response(const ProviderConfig& config, int status, std::string_view body) const override;
};

}  // namespace pgchat
