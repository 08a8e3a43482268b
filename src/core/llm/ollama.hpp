// Ollama's own chat API (docs.ollama.com/api/chat).
//
// An empty base_url stands for a server on this machine; it may end in /api or not. Images must be base64.
#pragma once

#include "core/llm/provider.hpp"

namespace pgchat {

class OllamaProvider final : public Provider {
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
