// A provider without a network, for tests, demonstrations and load measurements: EchoTransport answers its requests.
//
// Requests and replies have OpenAI's form. How the reply comes is told by config.options and, overriding it member by
// member, by options.extra.echo; the members are those of EchoScript.
#pragma once

#include "core/llm/provider.hpp"

namespace pgchat {

inline constexpr std::string_view echo_url = "echo://local/chat/completions";

class EchoProvider final : public Provider {
public:
    // Throws Error(malformed_options) for members that EchoScript does not have, or of the wrong type.
    HttpRequest encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                       bool stream) const override;
    std::unique_ptr<ReplyDecoder> decoder(bool stream) const override;
    HttpRequest encode_embeddings(const ProviderConfig& config, std::string_view model,
                                  const ChatRequest& request) const override;
    Error error_from_response(const ProviderConfig& config, int status, std::string_view body) const override;
};

}  // namespace pgchat
