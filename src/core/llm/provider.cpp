#include "core/llm/provider.hpp"

#include "core/llm/anthropic.hpp"
#include "core/llm/echo.hpp"
#include "core/llm/ollama.hpp"
#include "core/llm/openai.hpp"

namespace pgchat {

std::optional<ProviderKind> provider_kind_from_name(std::string_view name) noexcept {
    if (name == "openai") return ProviderKind::openai;
    if (name == "anthropic") return ProviderKind::anthropic;
    if (name == "ollama") return ProviderKind::ollama;
    if (name == "echo") return ProviderKind::echo;
    return std::nullopt;
}

std::optional<AuthType> auth_type_from_name(std::string_view name) noexcept {
    if (name == "none") return AuthType::none;
    if (name == "bearer") return AuthType::bearer;
    if (name == "x_api_key") return AuthType::x_api_key;
    if (name == "api_key") return AuthType::api_key;
    if (name == "query") return AuthType::query;
    return std::nullopt;
}

const Provider& provider_for(ProviderKind kind) noexcept {
    static const OpenaiProvider openai;
    static const AnthropicProvider anthropic;
    static const OllamaProvider ollama;
    static const EchoProvider echo;
    switch (kind) {
        case ProviderKind::openai:
            return openai;
        case ProviderKind::anthropic:
            return anthropic;
        case ProviderKind::ollama:
            return ollama;
        case ProviderKind::echo:
            return echo;
    }
    return openai;
}

}  // namespace pgchat
